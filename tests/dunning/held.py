"""What people have said, read once more from the beginning: instruction by instruction, by other words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from dunning.account import Account, Case, Outcome
from dunning.instructions import Instruction, Verb
from dunning.policy import Policy

SILENCING = (Verb.STOP, Verb.EXCLUDE, Verb.HAND_OVER, Verb.PAUSE, Verb.PROMISE)
# A promised day is a day to charge.
FORBIDDING = (Verb.STOP, Verb.EXCLUDE, Verb.HAND_OVER, Verb.PAUSE)
MOVES = (Verb.EXTEND, Verb.PAUSE, Verb.PROMISE, Verb.RESUME)
A_DAY = timedelta(days=1)
# Money that was sent on the promised day may arrive on the next.
PROMISE_SLACK = timedelta(days=1)


def about(account: Account, case: Case) -> list[Instruction]:
    """What was said of the case or of its customer, in order.

    To stop is said of the whole subscription, and only money for what was stopped ends it.
    """
    stopped = [
        other.invoice
        for other in account.cases.values()
        if other.subscription == case.subscription
        and (other.outcome is not Outcome.RECOVERED or (other.closed_at and case.opened_at < other.closed_at))
    ]
    return [
        told
        for told in account.instructions
        if told.case in (None, case.invoice)
        or (told.case in stopped and told.verb in (Verb.STOP, Verb.RESUME))
    ]


def holds(account: Account, case: Case, now: datetime, *, verbs: tuple[Verb, ...] = SILENCING) -> str | None:
    """What somebody has said that keeps the program from doing anything now, or None."""
    standing: list[Instruction] = []
    for told in about(account, case):
        if told.verb is Verb.RESUME:
            standing = [each for each in standing if _outlives(each, told)]
        elif told.verb in verbs:
            standing.append(told)
    for each in standing:
        slack = PROMISE_SLACK if each.verb is Verb.PROMISE else timedelta(0)
        if each.until is None or now < each.until + slack:
            return f"it was to be left: {each.verb}"
    return None


def _outlives(told: Instruction, resumed: Instruction) -> bool:
    """A promise is kept or broken, and what was said of the customer ends with a word about the customer."""
    return told.verb is Verb.PROMISE or bool(resumed.case and told.case is None)


def deadline_moved_at(account: Account, case: Case, policy: Policy) -> datetime | None:
    """When a word moved the end of access last: warnings from before speak of another one."""
    told, moved_at = about(account, case), None
    for number, each in enumerate(told):
        before, after = (_end(case, said, policy) for said in (told[:number], told[: number + 1]))
        moved_at = moved_at if before == after else each.at
    return moved_at


def more_time_since(account: Account, case: Case, since: datetime) -> bool:
    """Whether somebody has given time since, which lifts a limit."""
    return any(told.at >= since and told.verb in MOVES for told in about(account, case))


def _end(case: Case, told: list[Instruction], policy: Policy) -> datetime:
    """The end of access after these words, if the first failure counts, in working hours."""
    spans = [each.span for each in told if each.verb is Verb.EXTEND and each.span]
    end = max(
        [case.opened_at + case.grace + sum(spans, A_DAY * 0), *(at + 3 * A_DAY for at in _silences(told))]
    )
    return policy.revocation_hours.next_open(end, policy.zone, policy.holidays)


def _silences(told: list[Instruction]) -> Iterator[datetime]:
    """When each time ends, or ended, in which nothing was to be done."""
    for place, each in enumerate(told):
        resumed = (
            later.at for later in told[place:] if later.verb is Verb.RESUME and not _outlives(each, later)
        )
        ended = next(resumed, None)
        if each.verb is Verb.PROMISE and each.until:
            yield each.until + PROMISE_SLACK
        elif each.verb is Verb.PAUSE and each.until:
            yield min(each.until, ended or each.until)
        elif each.verb in FORBIDDING and ended:
            yield ended


def extension(account: Account, case: Case) -> timedelta:
    """How much time people have granted."""
    spans = [told.span for told in about(account, case) if told.verb is Verb.EXTEND and told.span]
    return sum(spans, timedelta(0))
