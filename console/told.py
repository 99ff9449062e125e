"""What people have said, and what follows from it, in sentences for the story of a case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from console.story import Line
from console.view import View
from console.words import instruction_title
from dunning.account import Case, Invoice
from dunning.instructions import Instruction, Verb
from dunning.ledger import attempts_on_card, ceilings
from dunning.standing import broken_promises, holding, said_about

DAY = 86_400  # seconds


def said(view: View, case: Case) -> Iterator[Line]:
    """Who said what about the case, or about all of the customer, and why."""
    zone = view.policy.of(case).zone
    for told in said_about(view.account, case):
        whole = ", for all of the customer" if told.case is None and told.verb is not Verb.EXCLUDE else ""
        other = f", for {told.case}" if told.case not in (None, case.invoice) else ""
        yield Line(
            f"{instruction_title(told.verb)}{_details(told, zone)}{whole}{other}, by {told.by}. "
            f"Why: {told.why}.",
            told.at,
        )
    for entry in view.journal:
        if entry.kind == "policy.moved" and entry.case == case.invoice:
            by, policy = entry.data.get("by"), entry.data.get("to")
            yield Line(f"Moved to the policy {policy}, by {by}. Why: {entry.reason}.", entry.at)


def _details(told: Instruction, zone: tzinfo) -> str:
    match told.verb:
        case Verb.PAUSE:
            return f" until {_day(told.until, zone)}"
        case Verb.PROMISE:
            return f" for {_day(told.until, zone)}"
        case Verb.EXTEND if told.span:
            return f" by {told.span.total_seconds() / DAY:g} days"
        case Verb.HAND_OVER:
            return f" to {told.to}"
    return ""


def _day(moment: datetime | None, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d}" if moment else "-"


def of_all(view: View) -> str | None:
    """What holds for everything of the customer, whether or not anything has failed."""
    held = holding(view.account, None, view.at)
    if not held:
        return None
    told = held[-1]
    until = _details(told, view.policy.choose(view.account, Invoice(ref="")).zone)
    return f"{instruction_title(told.verb)}{until}, by {told.by}: {told.why}."


def promises_broken(view: View) -> str | None:
    """How often this customer promised to pay and did not."""
    number = len(broken_promises(view.account, view.at))
    if not number:
        return None
    return "A promise to pay was broken." if number == 1 else f"{number} promises to pay were broken."


def near_ceilings(view: View, case: Case) -> Iterator[Line]:
    """Where at least half of what the card networks allow is used up."""
    charges = view.account.charges_of(case.invoice)
    if not charges:
        return
    last = charges[-1]
    card = f"{last.card_brand} {last.card_last4}" if last.card_brand and last.card_last4 else "The customer"
    for ceiling in ceilings(attempts_on_card(view.account, last), view.at):
        if 2 * ceiling.made >= ceiling.most:
            yield Line(
                f"{card} has had {ceiling.made} of {ceiling.most} charges that may fail "
                f"in {ceiling.within.days} days."
            )
