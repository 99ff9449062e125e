"""A first payment that is not complete: a path of its own, of hours, without grace and without an end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dunning.rules.context import Context
from dunning.rules.rule import reads
from dunning.steps import Step, Withheld

# Stripe holds an `incomplete` subscription for so long; then it is `incomplete_expired` for ever.
HELD_FOR = timedelta(hours=23)


@reads()
def first_payment(c: Context) -> Iterator[Step | Withheld]:
    """Nothing was granted, so nothing is taken: some reminders while the provider holds the offer open."""
    opened, taken_over_at = c.s.case.opened_at, c.s.case.taken_over_at
    rungs = [opened + wait for wait in c.policy.first_payment_mails if wait < HELD_FOR]
    for number, rung in enumerate(rungs, start=1):
        key = c.anew(f"first_payment:{c.ref}:{number}")
        excuse = why_not(c)
        if excuse:
            yield c.withhold(key, excuse)
        elif taken_over_at and rung <= taken_over_at:
            yield c.withhold(key, "it was due before the case was taken over")
        elif any(c.has_come(later) for later in rungs[number:]):
            yield c.withhold(key, "a later mail tells it")
        else:
            yield c.mail(key, "first_payment", rung, "the first payment is not complete")


def why_not(c: Context) -> str | None:
    """Why nobody is reminded of this first payment, or not any more."""
    if c.has_come(c.s.case.opened_at + HELD_FOR):
        return "the provider does not hold it open any more"
    if c.s.subscription.status != "incomplete":
        return f"the subscription is {c.s.subscription.status}"
    if c.s.replaced:
        return "the customer has another subscription that entitles them"
    if not c.policy.ladder.of(c.s.decline.category):
        return "the customer can do nothing about this kind of failure"
    return None
