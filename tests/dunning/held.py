"""What people have said, read once more from the beginning: instruction by instruction, by other words."""

from __future__ import annotations

from datetime import datetime, timedelta

from dunning.account import Account, Case
from dunning.instructions import Instruction, Verb

SILENCING = (Verb.STOP, Verb.EXCLUDE, Verb.HAND_OVER, Verb.PAUSE, Verb.PROMISE)
# A promised day is a day to charge.
FORBIDDING = (Verb.STOP, Verb.EXCLUDE, Verb.HAND_OVER, Verb.PAUSE)
MOVES = (Verb.EXTEND, Verb.PAUSE, Verb.PROMISE, Verb.RESUME)
# Money that was sent on the promised day may arrive on the next.
PROMISE_SLACK = timedelta(days=1)


def about(account: Account, case: Case) -> list[Instruction]:
    """What was said of the case or of its customer, in order; to stop is said of the whole subscription."""
    stopped = [other.invoice for other in account.open_cases() if other.subscription == case.subscription]
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


def deadline_moved_at(account: Account, case: Case) -> datetime | None:
    """When somebody moved the end of access last: warnings from before speak of another one."""
    return max((told.at for told in about(account, case) if told.verb in MOVES), default=None)


def extension(account: Account, case: Case) -> timedelta:
    """How much time people have granted."""
    spans = [told.span for told in about(account, case) if told.verb is Verb.EXTEND and told.span]
    return sum(spans, timedelta(0))
