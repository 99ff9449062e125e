"""A customer whose subscription has ended and who has bought another in its place, on our page."""

from __future__ import annotations

from collections.abc import Iterator

from dunning.account import PAYING, Outcome
from dunning.case import Situation
from dunning.rules.context import Context
from dunning.steps import Kind, Step, Withheld

VOID = "void"


def unpaid_on_return(c: Context) -> Iterator[Step | Withheld]:
    """Void what the ended subscription has left open, where the policy says so.

    Only once the new one has been paid for: whoever turns back in front of the till still owes it.
    """
    if c.policy.unpaid_on_return != VOID or c.s.case.outcome is not Outcome.ENDED:
        return
    paid = [
        each.last_paid_at
        for each in c.s.account.subscriptions.values()
        if each.follows == c.s.subscription.ref and each.status in PAYING and each.last_paid_at
    ]
    if paid:
        reason = "the customer has come back and paid for another subscription"
        yield Step(Kind.END, f"end:{c.ref}:{VOID}", VOID, c.ref, min(paid), reason)


def may_return(s: Situation) -> bool:
    """Whether the customer may buy again what has ended. Money that came too late is a person's to settle."""
    ended = s.case.outcome in (Outcome.ENDED, Outcome.VOIDED, Outcome.WRITTEN_OFF, Outcome.FORGIVEN)
    return ended and s.subscription.ended and not s.replaced and not s.account.customer.deleted
