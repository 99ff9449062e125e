"""What people's instructions and waking hours make of a step, whichever rule called for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dunning.deadline import in_working_hours
from dunning.declines import Category
from dunning.fold import latest
from dunning.reach import NO_ADDRESS_LEFT
from dunning.rules.context import Context
from dunning.rules.retries import MORNING
from dunning.standing import FORGOTTEN
from dunning.steps import Kind, Step, Withheld

# Said whatever anybody has told us: they concern money that came, not money that is missing.
ALWAYS = frozenset({"payment_recovered", "paid_after_end", "paid_but_stopped", "bought_twice"})
# A person who has taken over, or who waits for a promise, still hears of what needs a person.
STILL_CALLED = frozenset({"merchant_side", "fraud"})
ORDINARY = frozenset({"payment_failed"})
# A mail that has to wait for the morning is never pushed closer to the end than this.
BEFORE_THE_END = timedelta(hours=24)


def governed(c: Context, step: Step) -> Step | Withheld:
    """The step, later or withheld."""
    if step.kind is Kind.MAIL and c.said.forgotten:
        return c.withhold(step.key, FORGOTTEN)
    if step.kind is Kind.MAIL and c.unreachable_since:
        return c.withhold(step.key, NO_ADDRESS_LEFT)
    if step.name in ALWAYS or (step.kind is Kind.TEAM and not c.said.hold):
        return step
    if c.said.hold and not _goes_on(c, step):
        return c.withhold(step.key, c.said.hold)
    until = c.said.quiet_until
    promised = c.said.promise.until if c.said.promise else None
    if step.kind is Kind.RETRY and promised:
        # The promised day is the day to charge.
        morning = datetime.combine(promised.astimezone(c.zone).date(), MORNING, c.zone).astimezone(UTC)
        until = latest(min(promised, morning), c.said.paused_until)
    if until and _can_wait(step) and step.due_at < until:
        step = step.moved(until, None, f"{step.reason}; {c.said.quiet_why}")
    if step.kind is Kind.ACCESS:
        # What was held up, by an outage or by a provider that did not answer, waits for people to be there.
        return step.moved(in_working_hours(c.now_or(step.due_at), c.policy), wanted_at=step.due_at)
    return _awake(c, step) if step.name in ORDINARY else step


def _can_wait(step: Step) -> bool:
    """A call is for a person, and that access has ended is news whatever was agreed."""
    return step.kind is not Kind.TEAM and step.name != "access_ended"


def _goes_on(c: Context, step: Step) -> bool:
    """Whoever took a case over is reminded of it; a stop stops calls as well."""
    if step.kind is not Kind.TEAM:
        return False
    return step.name in STILL_CALLED or (not c.said.stopped and step.name.startswith("reminder"))


def _awake(c: Context, step: Step) -> Step:
    """An ordinary mail waits for the customer's waking hours, unless that brings it too close to the end.

    The first one about a confirmation does not: the customer may still be sitting there.
    """
    if c.s.decline.category is Category.AUTHENTICATION_REQUIRED and not c.mails_of_case:
        return step
    wanted = c.now_or(step.due_at)
    due_at = c.policy.mail_hours.next_open(wanted, c.zone, c.policy.holidays)
    if due_at == wanted or due_at > c.ends_at - BEFORE_THE_END:
        return step
    return step.moved(due_at, step.due_at, f"{step.reason}; in waking hours")
