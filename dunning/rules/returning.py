"""A customer whose subscription has ended and who has bought another in its place, on our page."""

from __future__ import annotations

from collections.abc import Iterator

from dunning.account import PAYING, Outcome, Subscription
from dunning.case import Situation
from dunning.rules.context import Context
from dunning.rules.rule import reads
from dunning.steps import Kind, Step, Withheld

VOID = "void"


@reads(Kind.END)
def unpaid_on_return(c: Context) -> Iterator[Step | Withheld]:
    """Void what the ended subscription has left open, where the policy says so.

    Only once the new one has been paid for: whoever turns back in front of the till still owes it.
    """
    key = f"end:{c.ref}:{VOID}"
    effect = c.history.get(key)
    if effect and effect.status in ("failed", "unknown"):
        reason = "the customer has come back, but old invoices could not be voided"
        yield c.team("void_unconfirmed", effect.created_at, reason)
    if c.policy.unpaid_on_return != VOID or c.s.case.outcome is not Outcome.ENDED:
        return
    paid = [each.last_paid_at for each in _bought(c.s) if each.last_paid_at]
    if paid:
        reason = "the customer has come back and paid for another subscription"
        yield Step(Kind.END, key, VOID, c.ref, min(paid), reason)


@reads()
def bought_twice(c: Context) -> Iterator[Step | Withheld]:
    """Two subscriptions run in place of one: our page starts none beside another, but others may have.

    A person has to look, since one of them is paid for nothing.
    """
    bought = _bought(c.s)
    plans = {each.product for each in bought if each.product}
    beside = [
        each
        for each in c.s.account.subscriptions.values()
        if each.status in PAYING and each.product in plans and each not in bought
    ]
    twins = [*bought, *beside] if bought else []
    if len(twins) > 1:
        latest = max((each.last_paid_at for each in twins if each.last_paid_at), default=c.now)
        yield c.team("bought_twice", latest, "a customer has come back, and two subscriptions run")


def _bought(s: Situation) -> list[Subscription]:
    """What runs in place of this subscription."""
    known = s.account.subscriptions.values()
    return [each for each in known if each.follows == s.subscription.ref and each.status in PAYING]


def may_return(s: Situation) -> bool:
    """Whether the customer may buy again what has ended. Money that came too late is a person's to settle."""
    ended = s.case.outcome in (Outcome.ENDED, Outcome.VOIDED, Outcome.WRITTEN_OFF, Outcome.FORGIVEN)
    return ended and s.subscription.ended and not s.replaced and not s.account.customer.deleted
