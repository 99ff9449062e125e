"""replay(account, policies) -> steps: what would have been done for a customer under these policies.

Lived from the first failure on with what was known at each moment, by the rules the worker asks. Every mail
is taken to be accepted at once, access to be taken when it is due, calls to be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from datetime import datetime, timedelta

from dunning.account import Account
from dunning.case import settle
from dunning.hindsight import Hindsight
from dunning.segments import PolicySource
from dunning.steps import Effect, Step
from dunning.taking import Moment, learned, live

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
    return _taken(moments(past, policies))


def moments(past: Hindsight, policies: PolicySource) -> Iterator[Moment]:
    """Moment by moment, with what was planned and withheld at each."""
    return _live(past, policies, past.moments[0], {}) if past.moments else iter(())


def steps_apart(
    past: Hindsight, one: PolicySource, other: PolicySource, agreed_until: datetime
) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """What each of two policies does once they no longer agree: the time before is lived once, by both.

    Before `agreed_until` they take the same steps, and nobody's access.
    """
    if not past.moments:
        return (), ()
    history: dict[str, Effect] = {}
    lived = _live(past, one, past.moments[0], history)
    since, before = past.moments[0], dict[str, Effect]()
    apart: list[Step] = []
    for moment in lived:
        if moment.at >= agreed_until:
            apart += moment.taken
            break
        since, before = moment.at, dict(history)
    return (*apart, *_taken(lived)), _taken(_live(past, other, since, before))


def _live(
    past: Hindsight, policies: PolicySource, since: datetime, history: MutableMapping[str, Effect]
) -> Iterator[Moment]:
    """From one of its moments on; the history tells what was done before it."""
    known = [each for at, each in past.news if at <= since]
    account = settle(known[0], policies)
    for each in known[1:]:
        account = settle(learned(each, account), policies)
    later = past.news[len(known) :]
    return live(account, history, policies, since, news=later, allowed=in_time)


def _taken(lived: Iterable[Moment]) -> tuple[Step, ...]:
    return tuple(step for moment in lived for step in moment.taken)


def in_time(account: Account, step: Step) -> bool:
    """Whether it belongs to the story: a case that nobody pays has no other end."""
    case = account.cases[step.case]
    name, _, number = step.name.partition(":")
    if name == "reminder" and int(number) > max(REMINDERS, case.policy.most_reminders if case.policy else 0):
        return False
    return step.due_at <= (case.closed_at or case.opened_at) + HORIZON
