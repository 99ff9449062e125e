"""Charging once more ourselves, where the policy says that retries are ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo

from dunning.case import why_kept
from dunning.declines import Category
from dunning.ladders import PAYDAY
from dunning.ledger import APART, attempts_on_card, next_allowed
from dunning.rules.context import Context
from dunning.rules.new_method import charges_in_flight, method_changed_at, provider_charges
from dunning.rules.rule import CHARGES, WARNED, reads
from dunning.steps import Kind, Step, Withheld

# Wages have been booked by then, and nobody else's direct debit has been.
MORNING = time(8)
FUNDS_APART = timedelta(hours=48)
NO_REST = timedelta(0)
FRIDAY = 4
PAYDAYS_OF_THE_MONTH = (1, 15)


@reads(Kind.RETRY, WARNED, CHARGES)
def retries(c: Context) -> Iterator[Step | Withheld]:
    """One charge a rung, the newest due rung only; never where the network forbids it or another charges."""
    if c.policy.retries != "worker":
        return
    changed_at = method_changed_at(c)
    rungs = _rungs(c)
    for number, rung in enumerate(rungs, start=1):
        key = f"retry:{c.ref}:{number}"
        excuse = _why_not(c)
        if excuse:
            yield c.withhold(key, excuse)
        elif any(c.has_come(later) for later in rungs[number:]) or (changed_at and c.has_come(rung)):
            yield c.withhold(key, "a later attempt takes its place")
        else:
            due_at = _allowed(c, c.from_contact(rung))
            if due_at >= c.ends_at:
                yield c.withhold(key, "access ends before the card may be charged again")
            else:
                yield Step(Kind.RETRY, key, "retry", c.ref, due_at, "we charge again ourselves")
    if not rungs:
        yield c.withhold(f"retry:{c.ref}:1", "charging again cannot mend this kind of failure")


def _rungs(c: Context) -> list[datetime]:
    """Each charge of the schedule by itself, in order: none is lost because another falls on its morning."""
    opened, category = c.s.case.opened_at, c.s.decline.category
    wanted: list[datetime] = []
    for wait in c.policy.retry.of(category):
        before = wanted[-1] if wanted else opened
        at = next_payday(before, c.zone) if wait == PAYDAY else opened + wait
        wanted.append(at if category is Category.PROCESSING_ERROR else _in_the_morning(at, c.zone))
    rungs: list[datetime] = []
    for at in sorted(wanted):
        rungs.append(at if not rungs or at > rungs[-1] else rungs[-1] + FUNDS_APART)
    return rungs


def next_payday(after: datetime, zone: tzinfo) -> datetime:
    """The morning of the first 1st, 15th or Friday after `after`, in the customer's zone; UTC."""
    day = after.astimezone(zone).date() + timedelta(days=1)
    while day.weekday() != FRIDAY and day.day not in PAYDAYS_OF_THE_MONTH:
        day += timedelta(days=1)
    return datetime.combine(day, MORNING, zone).astimezone(UTC)


def _in_the_morning(moment: datetime, zone: tzinfo) -> datetime:
    local = moment.astimezone(zone)
    day = local.date() + timedelta(days=local.time() > MORNING)
    return datetime.combine(day, MORNING, zone).astimezone(UTC)


def _allowed(c: Context, rung: datetime) -> datetime:
    """The rung, or as soon after it as the ceilings and the last attempt allow."""
    last = c.s.charges[-1] if c.s.charges else None
    made = sorted([*attempts_on_card(c.s.account, last), *charges_in_flight(c)])
    category = c.s.decline.category
    if category is Category.INSUFFICIENT_FUNDS and made:
        rung = max(rung, made[-1] + FUNDS_APART)
    # A fault on the way to the bank was no attempt of the bank's, so it need not rest for a day.
    return next_allowed(made, rung, apart=NO_REST if category is Category.PROCESSING_ERROR else APART)


def _why_not(c: Context) -> str | None:
    s = c.s
    changed = method_changed_at(c) is not None
    if beside := provider_charges(c):
        return beside
    if s.invoice.processing_since:
        return "a payment is on its way"
    debit = s.decline.category is Category.BANK_DEBIT_FAILED
    if not s.decline.retried_by_stripe and not debit and not changed:
        return "the network forbids to charge this card again"
    if s.decline.needs_new_method and not changed:
        return "the same payment method cannot pay this"
    return why_kept(s)
