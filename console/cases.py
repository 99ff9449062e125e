"""One case as a line of a list or the head of a page: facts, what access it leaves, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.view import View
from console.words import step_title
from dunning.account import Case, Charge, Outcome
from dunning.case import Situation, classify_charge
from dunning.declines import Category
from dunning.rules.context import context
from dunning.standing import Standing
from dunning.steps import Kind, Step


@dataclass(frozen=True, slots=True)
class Coming:
    """A step to come."""

    step: str
    title: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """A case in plain values. `amount` is in the provider's minor unit (see `dunning.money`).

    `attempts` are the charges really made, `attempts_counted` the provider's own count. `access_until` is
    when this case ends access by itself, or None. `taken` is the access level it has left, if it took any.
    `hold` is why nothing is done for now and `owner` who has taken it over, because somebody said so.
    """

    customer: str
    name: str | None
    email: str | None
    source: str
    invoice: str
    number: str | None
    subscription: str
    subscription_status: str
    plan: str | None
    is_open: bool
    outcome: Outcome | None
    opened_at: datetime
    closed_at: datetime | None
    grace_ends_at: datetime
    amount: int
    currency: str
    attempts: int
    attempts_counted: int
    category: Category
    decline_code: str | None
    card: str | None
    retried_by_provider: bool
    needs_new_method: bool
    provider_tries_again_at: datetime | None
    access_until: datetime | None
    taken: str | None
    taken_at: datetime | None
    hold: str | None
    owner: str | None
    acknowledged_at: datetime | None
    next: Coming | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One charge of the ledger."""

    charge: str
    at: datetime
    category: Category
    decline_code: str | None
    card: str | None


def facts(view: View, case: Case) -> CaseFacts:
    """The facts of one of the view's cases."""
    c = context(view.account, case, view.history, view.policy, view.at)
    s, said = c.s, c.said
    customer, invoice, subscription = view.account.customer, s.invoice, s.subscription
    return CaseFacts(
        customer=customer.ref,
        name=customer.name,
        email=customer.email,
        source=view.account.source,
        invoice=invoice.ref,
        number=invoice.number,
        subscription=subscription.ref,
        subscription_status=subscription.status,
        plan=subscription.plan,
        is_open=case.is_open,
        outcome=case.outcome,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        grace_ends_at=case.grace_ends_at,
        amount=invoice.amount_remaining if case.is_open else invoice.amount_paid or invoice.amount_remaining,
        currency=invoice.currency,
        attempts=s.executed_attempts,
        attempts_counted=invoice.attempt_count,
        category=s.decline.category,
        decline_code=s.decline.code,
        card=card_of(s.charges[-1]) if s.charges else None,
        retried_by_provider=s.decline.retried_by_stripe,
        needs_new_method=s.decline.needs_new_method,
        provider_tries_again_at=_next_attempt(view, s),
        access_until=ends_at(view, case),
        taken=case.taken_level,
        taken_at=case.taken_at,
        hold=hold(said, view.at) if case.is_open else None,
        owner=said.owner if case.is_open else None,
        acknowledged_at=said.acknowledged_at,
        next=next(iter(coming(view, case)), None),
    )


def hold(said: Standing, now: datetime) -> str | None:
    """Why nothing is done about a case at `now`."""
    paused = said.quiet_why if said.quiet_until and said.quiet_until > now else None
    return said.hold or paused


def ends_at(view: View, case: Case) -> datetime | None:
    """When access ends for this case, or None: it is closed, has taken access, or never will."""
    if not case.is_open or case.taken_at:
        return None
    ends = any(step.kind is Kind.ACCESS and step.case == case.invoice for step in view.ahead)
    return context(view.account, case, view.history, view.policy, view.at).ends_at if ends else None


def _next_attempt(view: View, s: Situation) -> datetime | None:
    """When the provider says it will charge again; whether it really will is `retried_by_provider`."""
    at = s.invoice.next_attempt_at
    return at if at and s.case.is_open and at > view.at else None


def coming(view: View, case: Case) -> list[Coming]:
    """What will be done about the case if nobody pays, in order.

    Of calls that are repeated with nothing else between them, the first is told.
    """
    steps = [step for step in view.ahead if step.case == case.invoice]
    return [
        Coming(step.key, step_title(step.key), step.due_at, step.reason)
        for before, step in zip([None, *steps], steps, strict=False)
        if not (_repeats(step) and before and _repeats(before))
    ]


def _repeats(step: Step) -> bool:
    return step.name.startswith("reminder")


def ledger(view: View, case: Case) -> list[Attempt]:
    """The charges that really failed, oldest first, each with its own reason."""
    attempts = []
    for charge in view.account.charges_of(case.invoice):
        decline = classify_charge(charge)
        attempts.append(Attempt(charge.ref, charge.at, decline.category, decline.code, card_of(charge)))
    return attempts


def card_of(charge: Charge) -> str | None:
    """What was charged: `visa 4242`, or the method's type where there is no card."""
    if charge.card_brand and charge.card_last4:
        return f"{charge.card_brand} {charge.card_last4}"
    return charge.method_type


def shown(view: View, invoice: str | None = None) -> list[Case]:
    """The cases a person means: that of `invoice`, else the open ones, else the one closed last."""
    every = view.account.cases
    if invoice is not None:
        return [every[invoice]] if invoice in every else []
    if still_open := list(view.account.open_cases()):
        return still_open
    return sorted(every.values(), key=lambda case: (case.closed_at or case.opened_at, case.invoice))[-1:]
