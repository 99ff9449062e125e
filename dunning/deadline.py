"""When access ends for a case: never before its time, never unwarned, never outside working hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from dunning.account import Case
from dunning.case import Situation
from dunning.fold import latest
from dunning.policy import WARNED_BEFORE, Policy
from dunning.standing import Standing, standing
from dunning.steps import FINAL_WARNING, History

# The longest window in which Stripe retries: a grace that counts from the final failure begins by then.
LONGEST_WINDOW = timedelta(days=60)
# A charge that is planned this soon after the end is waited for.
WORTH_WAITING_FOR = timedelta(hours=48)
# From a charge to the news of it.
SETTLED_WITHIN = timedelta(hours=2)


def warnings_accepted(case: Case, history: History, since: datetime | None = None) -> list[datetime]:
    """When the mail server accepted each final warning of the case that has not come back, earliest first.

    Warnings decided before `since`, when the deadline moved (see `moved_at`), spoke of another one.
    """
    return sorted(
        effect.arrived_at
        for effect in history.values()
        if effect.case == case.invoice
        and effect.name == FINAL_WARNING
        and effect.arrived_at
        and (since is None or effect.created_at >= since)
    )


def grace_ends_at(s: Situation, said: Standing, policy: Policy) -> datetime:
    """The end of grace, with the time that people have granted."""
    end = _counted_from(s, policy) + s.case.grace + said.extension
    return max(end, said.pushed_to + WARNED_BEFORE) if said.pushed_to else end


def _counted_from(s: Situation, policy: Policy) -> datetime:
    opened = s.case.opened_at
    if policy.grace_from == "first_failure":
        return opened
    return min(max(opened, s.failed_at), opened + LONGEST_WINDOW)


def moved_at(s: Situation, policy: Policy) -> datetime | None:
    """When the end of grace became what it is, or None where it has never been another.

    What people say moves it, another policy, and a later charge where grace counts from the last. A word that
    leaves it where it was, such as a pause that is over long before, does not.
    """
    begun = _counted_from(s, policy)
    told = s.account.instructions
    ends = [_end_after(s, number, policy) for number in range(len(told) + 1)] if told else []
    by_word = (each.at for each, (before, after) in zip(told, pairwise(ends), strict=True) if before != after)
    return latest(*by_word, s.case.moved_at, begun if begun > s.case.opened_at else None)


def _end_after(s: Situation, number: int, policy: Policy) -> datetime:
    """The end of grace as it was told when so many instructions had been given."""
    then = replace(s.account, instructions=s.account.instructions[:number])
    return in_working_hours(grace_ends_at(s, standing(then, s.case, policy.zone), policy), policy)


def ends_at(granted_until: datetime, warned_at: datetime, policy: Policy) -> datetime:
    """When access ends: after grace, and 72 hours after the first accepted final warning at least.

    Before any warning was accepted `warned_at` is now: the end is what such a warning has to promise. What
    was promised only ever moves back.
    """
    return in_working_hours(max(granted_until, warned_at + WARNED_BEFORE), policy)


def in_working_hours(moment: datetime, policy: Policy) -> datetime:
    return policy.revocation_hours.next_open(moment, policy.zone, policy.holidays)


def taken_at(s: Situation, ends_at: datetime, policy: Policy) -> datetime:
    """When access is really taken: later than was told, if the provider is about to charge once more."""
    charge = s.invoice.next_attempt_at if s.decline.retried_by_stripe else None
    worth_it = charge and ends_at <= charge + SETTLED_WITHIN and charge <= ends_at + WORTH_WAITING_FOR
    if not charge or not worth_it:
        return ends_at
    return max(ends_at, in_working_hours(charge + SETTLED_WITHIN, policy))
