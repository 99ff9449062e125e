"""replay(account, policies) -> steps: what would have been done for a customer under these policies.

Lived from the first failure on with what was known at each moment, by the rules the worker asks. Every mail
is taken to be accepted at once, access to be taken when it is due, calls to be made.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dunning.account import Account
from dunning.case import settle
from dunning.hindsight import Hindsight
from dunning.segments import PolicySource
from dunning.steps import Step
from dunning.taking import Moment, live

# Longer than any grace with its extensions.
HORIZON = timedelta(days=120)
# A person who is waited for is reminded until they answer; so many times tell that story.
REMINDERS = 3


def replay(account: Account, policies: PolicySource) -> tuple[Step, ...]:
    """Every step of every case in order, `due_at` being when it is taken.

    Cases open with the policy that `policies` chooses, whatever they were opened with in truth. One that is
    open still goes on, unpaid, until nothing more is planned, or for 120 days. Notices of renewals to come
    belong to no case and are left out.
    """
    return steps_of(Hindsight(account), policies)


def steps_of(past: Hindsight, policies: PolicySource) -> tuple[Step, ...]:
    """The same of a past that has been looked into."""
    return tuple(step for moment in moments(past, policies) for step in moment.taken)


def moments(past: Hindsight, policies: PolicySource) -> Iterator[Moment]:
    """Moment by moment, with what was planned and withheld at each."""
    if not past.news:
        return iter(())
    (at, known), *later = past.news
    return live(settle(known, policies), {}, policies, at, news=later, allowed=_in_time)


def _in_time(account: Account, step: Step) -> bool:
    case = account.cases[step.case]
    name, _, number = step.name.partition(":")
    if name == "reminder" and int(number) > max(REMINDERS, case.policy.most_reminders if case.policy else 0):
        return False
    return step.due_at <= (case.closed_at or case.opened_at) + HORIZON
