"""What is written to a customer before anything fails: notices of renewals and of cards that expire."""

from __future__ import annotations

from collections.abc import Iterator

from console.story import Line
from console.view import View
from console.words import CHANNELS, STATUSES, step_title
from dunning.rules.renewals import upcoming


def upcoming_renewals(view: View) -> Iterator[Line]:
    """Each charge to come that is told of, what was and will be written about it, and what not and why."""
    refs = {renewal.ref: renewal for renewal in upcoming(view.account, view.at)}
    steps = [step for step in view.planned.steps if step.case in refs]
    withheld = [item for item in view.planned.withheld if item.case in refs]
    sendings = [sending for sending in view.sendings if sending.case in refs]
    told = {step.case for step in steps} | {item.case for item in withheld} | {one.case for one in sendings}
    for ref in sorted(told):
        renewal = refs[ref]
        text = f"{view.account.source.capitalize()} charges {renewal.subscription.plan or ref}."
        if renewal.card_expires_before:
            text += " The card will have expired by then."
        yield Line(text, renewal.at)
    for sending in sendings:
        status = STATUSES.get(sending.status, sending.status)
        by = f" by {CHANNELS.get(sending.channel, sending.channel)}" if sending.status == "sent" else ""
        yield Line(f"{step_title(sending.step)}: {status}{by}.", sending.settled_at)
    for step in steps:
        yield Line(f"{step_title(step.key)}. Why: {step.reason}.", step.due_at)
    for item in withheld:
        yield Line(f"{step_title(item.key)}: held back, because {item.reason}.")
