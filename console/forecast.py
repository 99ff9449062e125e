"""What will be done if nobody pays, and what would change it: the rules, asked about the future."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from dunning.access import Access
from dunning.account import Account, Case
from dunning.case import settle
from dunning.events import AsOf, CustomerFact, InvoiceSeen, SubscriptionSeen
from dunning.fold import INVOICE_SNAPSHOT, SUBSCRIPTION_SNAPSHOT, fold
from dunning.plan import plan
from dunning.segments import PolicySource
from dunning.steps import Effect, History, Step
from dunning.taking import live

# No case has so many steps; a rule that plans without end must not hang a command.
MOST_STEPS = 100
STOPPED = ("past_due", "unpaid", "paused")


def forecast(account: Account, history: History, policy: PolicySource, now: datetime) -> tuple[Step, ...]:
    """The steps to come in order, each at the time it would be taken, if nothing else happens.

    Assumes that mails are accepted as soon as they are due, those on their way included.
    """
    coming = {key: _accepted(effect, now) for key, effect in history.items()}
    lived = live(account, coming, policy, now)
    return tuple(islice((step for moment in lived for step in moment.taken), MOST_STEPS))


def _accepted(effect: Effect, now: datetime) -> Effect:
    if effect.status not in ("pending", "sending"):
        return effect
    return replace(effect, status="sent", accepted_at=now)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What one further fact would do: access at once, mails dropped, and the steps that remain."""

    access: Access
    dropped: tuple[str, ...]
    steps: tuple[Step, ...]
    case: Case


def what_if(
    account: Account,
    history: History,
    policy: PolicySource,
    now: datetime,
    invoice: str,
    *facts: CustomerFact,
) -> WhatIf:
    """How the case of `invoice` goes on after these facts, by the worker's own rules."""
    after = settle(fold(account, *facts), policy)
    waiting = [
        key for key, effect in history.items() if effect.status == "pending" and effect.case == invoice
    ]
    dropped = [] if after.cases[invoice].is_open else waiting
    kept = {
        key: replace(effect, status="suppressed") if key in dropped else effect
        for key, effect in history.items()
    }
    return WhatIf(
        access=plan(after, kept, policy, now).access,
        dropped=tuple(dropped),
        steps=tuple(step for step in forecast(after, kept, policy, now) if step.case == invoice),
        case=after.cases[invoice],
    )


def payment(account: Account, invoice: str, now: datetime) -> list[CustomerFact]:
    """The facts of a full payment: the invoice is paid, and the provider revives what it had stopped."""
    seen = account.invoices[invoice]
    facts: list[CustomerFact] = [
        replace(
            _invoice(account, invoice, now),
            status="paid",
            paid_at=now,
            amount_paid=max(1, seen.amount_remaining),
            amount_remaining=0,
        )
    ]
    subscription = account.subscriptions.get(seen.subscription or "")
    if subscription and subscription.status in STOPPED:
        facts.append(replace(_subscription(account, subscription.ref, now), status="active"))
    return facts


def void(account: Account, invoice: str, now: datetime) -> list[CustomerFact]:
    """The facts of an invoice that is taken back."""
    return [replace(_invoice(account, invoice, now), status="void", voided_at=now)]


def cancellation(account: Account, subscription: str, now: datetime) -> list[CustomerFact]:
    """The facts of a customer's wish to leave at the end of the period."""
    return [replace(_subscription(account, subscription, now), cancel_at_period_end=True)]


def _invoice(account: Account, ref: str, now: datetime) -> InvoiceSeen:
    """The invoice as it is, observed once more."""
    seen = account.invoices[ref]
    return InvoiceSeen(
        customer=account.customer.ref,
        invoice=ref,
        as_of=_later(seen.as_of, now),
        **{name: getattr(seen, name) for name in INVOICE_SNAPSHOT},
    )


def _subscription(account: Account, ref: str, now: datetime) -> SubscriptionSeen:
    seen = account.subscriptions[ref]
    return SubscriptionSeen(
        customer=account.customer.ref,
        subscription=ref,
        as_of=_later(seen.as_of, now),
        **{name: getattr(seen, name) for name in SUBSCRIPTION_SNAPSHOT},
    )


def _later(seen: AsOf | None, now: datetime) -> AsOf:
    """Newer than anything observed, so that what is imagined wins."""
    return AsOf(max(now, seen.at + timedelta(seconds=1)) if seen else now)
