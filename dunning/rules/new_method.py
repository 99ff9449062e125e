"""Charging what is open at once when the customer has given a new way to pay.

Stripe does not: it waits for its next retry, and after a hard decline charges nothing until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from dunning.case import why_kept
from dunning.declines import Category
from dunning.ledger import attempts_on_method, next_allowed
from dunning.rules.context import Context
from dunning.rules.rule import reads
from dunning.steps import ASKED_ANEW, NEW_METHOD, Kind, Step, Withheld

# Several events tell of one new card, some seconds apart.
ONE_CHANGE = timedelta(minutes=1)
NO_REST = timedelta(0)


@reads(Kind.RETRY)
def new_method(c: Context) -> Iterator[Step | Withheld]:
    """Once for each change, whoever charges otherwise: a payment ends what the provider has planned.

    Where the policy leaves it to whoever owns the retries, it is ours only where they are.
    """
    changed_at = method_changed_at(c)
    ours = c.policy.retries == "worker"
    if changed_at is None or not (ours or c.policy.pay_on_new_method) or c.s.subscription.ended:
        return
    if c.s.decline.category is Category.CONSENT_WITHDRAWN:
        return
    key = f"retry:{c.ref}:method:{changed_at:%Y%m%dT%H%M%S}"
    if excuse := _why_not(c, key, changed_at):
        yield c.withhold(key, excuse)
    else:
        reason = "a new payment method has not been charged yet"
        yield Step(Kind.RETRY, key, NEW_METHOD, c.ref, _allowed(c, changed_at), reason)


def method_changed_at(c: Context) -> datetime | None:
    """When the customer gave a way to pay that has not been charged yet."""
    changed_at = c.s.account.customer.method_changed_at
    return changed_at if changed_at and changed_at > c.s.last_failed_at else None


def provider_charges(c: Context) -> str | None:
    """Why a charge of ours would stand beside the provider's."""
    if c.s.invoice.next_attempt_at:
        return "the provider has planned a charge of its own"
    if c.s.invoice.attempt_count > 1:
        return "the provider charges this invoice again by itself"
    return None


def charges_in_flight(c: Context) -> list[datetime]:
    """Charges that are decided, for any of the customer's invoices, and not in the ledger yet."""
    decided = [e for e in c.history.values() if e.kind is Kind.RETRY and e.reached_somebody]
    charges = c.s.account.charges.values()
    return [
        effect.accepted_at or effect.created_at
        for effect in decided
        if not any(each.invoice == effect.case and each.at >= effect.created_at for each in charges)
    ]


def _allowed(c: Context, changed_at: datetime) -> datetime:
    """At once, unless it is a card at one of its ceilings that was given anew."""
    account = c.s.account
    given = account.methods.get(c.s.subscription.payment_method or account.customer.payment_method or "")
    made = sorted([*attempts_on_method(account, given), *charges_in_flight(c)])
    return next_allowed(made, changed_at, apart=NO_REST)


def _why_not(c: Context, key: str, changed_at: datetime) -> str | None:
    tried = [e for e in c.done.values() if e.name in (NEW_METHOD, ASKED_ANEW) and e.key != key]
    if any(e.is_under_way or (e.reached_somebody and e.created_at > changed_at - ONE_CHANGE) for e in tried):
        # Where it is put on the slot that failed, the provider tells of that as of a change.
        return "the new payment method is being charged already"
    if c.s.invoice.processing_since:
        return "a payment is on its way"
    return why_kept(c.s) or (None if c.policy.pay_on_new_method else provider_charges(c))
