"""What would end or change a case, in sentences read off the rules: nothing here decides anything."""

from __future__ import annotations

from collections.abc import Iterator

from console.forecast import WhatIf, cancellation, payment, void, what_if
from console.view import View
from console.words import LEVELS, step_title
from dunning.access import Level
from dunning.account import Case, Outcome
from dunning.case import situation
from dunning.events import CustomerFact
from dunning.steps import Kind, Step


def changes(view: View, case: Case) -> Iterator[str]:
    """One sentence for each thing that may yet happen to the case."""
    s = situation(view.account, case)
    invoice = s.invoice
    if invoice.paid_at or invoice.voided_at:
        return
    now, account = view.at, view.account
    yield _sentence("A payment of the invoice", _imagine(view, case, payment(account, case.invoice, now)))
    if not case.is_open:
        return
    if invoice.next_attempt_at and not s.decline.retried_by_stripe:
        yield "The card that failed is not charged again: only another payment method can pay this."
    elif s.decline.needs_new_method:
        yield "Charging the same card again will hardly help: another payment method will."
    subscription = account.subscriptions.get(case.subscription)
    running = subscription is not None and subscription.status in ("active", "trialing", "past_due")
    if subscription and running and not subscription.cancel_at_period_end and not case.taken_at:
        cancelled = _imagine(view, case, cancellation(account, subscription.ref, now))
        yield _sentence("A cancellation at the end of the period", cancelled)
    voided = _imagine(view, case, void(account, case.invoice, now))
    # Whether the provider then calls the subscription active is its own affair.
    given = voided.access.level in (Level.FULL, Level.WARNED)
    yield _sentence("Voiding the invoice", voided, "access as the subscription has it" if given else None)


def _imagine(view: View, case: Case, facts: list[CustomerFact]) -> WhatIf:
    return what_if(view.account, view.history, view.policy, view.at, case.invoice, *facts)


def _sentence(what: str, then: WhatIf, access: str | None = None) -> str:
    """For instance: "A payment of the invoice closes the case: full access. Then: receipt." """
    text = f"{what} {'leaves the case open' if then.case.is_open else 'closes the case'}: "
    text += access or LEVELS[then.access.level]
    if then.case.outcome is Outcome.PAID_AFTER_END:
        text += ", since the subscription has ended"
    if then.dropped:
        text += f"; {_count(len(then.dropped), 'message')} not sent any more"
    mails = [step for step in then.steps if step.kind is not Kind.ACCESS]
    text += f". Then: {_listed(mails)}" if mails else ". Nothing more is sent"
    if then.case.is_open and not any(step.kind is Kind.ACCESS for step in then.steps):
        text += ", and access is not taken"
    return text + "."


def _count(number: int, thing: str) -> str:
    return f"{number} {thing} is" if number == 1 else f"{number} {thing}s are"


def _listed(steps: list[Step]) -> str:
    titles = [step_title(step.key) for step in steps]
    return ", ".join([titles[0], *(title[0].lower() + title[1:] for title in titles[1:])])
