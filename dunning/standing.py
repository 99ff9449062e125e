"""standing(account, case) -> Standing: what people's instructions come to for one case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from dunning.account import Account, Case, Outcome
from dunning.fold import latest
from dunning.instructions import Instruction, Verb

# A transfer that was sent on the promised day arrives on the next.
PROMISE_SLACK = timedelta(days=1)

HOLDS = (Verb.STOP, Verb.EXCLUDE, Verb.HAND_OVER, Verb.FORGET)

FORGOTTEN = "the customer was forgotten"


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a case because somebody said so.

    `hold` is why nothing is done by itself, without an end in sight; `forgotten`: nobody may be written to
    whatever happens. Until `quiet_until` nothing is done,
    for `quiet_why`; `paused_until` is the same without promises. Access ends no sooner than three days after
    `pushed_to`, nor than grace and `extension` allow; `moved_at` is when an instruction gave time last.
    """

    hold: str | None = None
    stopped: bool = False
    forgotten: bool = False
    owner: str | None = None
    quiet_until: datetime | None = None
    quiet_why: str = ""
    paused_until: datetime | None = None
    pushed_to: datetime | None = None
    extension: timedelta = timedelta(0)
    moved_at: datetime | None = None
    promise: Instruction | None = None
    acknowledged_at: datetime | None = None

    def promise_broken(self, now: datetime) -> bool:
        """Whether the promised day has passed. A case that was paid has no standing to ask of."""
        return bool(self.promise and self.promise.until and now >= self.promise.until + PROMISE_SLACK)


NOTHING_SAID = Standing()


def standing(account: Account, case: Case, zone: tzinfo = UTC) -> Standing:
    """The instructions for this case and for its customer, in the order they were given.

    Sentences name days as they are in `zone`, the merchant's.
    """
    if not account.instructions:
        return NOTHING_SAID
    told = list(said_about(account, case))
    ends = [(each, _ended_at(each, told[place:], case)) for place, each in enumerate(told, start=1)]
    holds = [each for each, ended in ends if each.verb in HOLDS and ended is None]
    quiet = [(each, end) for each, ended in ends if (end := _quiet_until(each, ended))]
    moving = [each for each in told if each.verb in (Verb.EXTEND, Verb.PAUSE, Verb.PROMISE, Verb.RESUME)]
    longest = max(quiet, key=lambda pair: pair[1], default=None)
    owner = next((each.to for each in reversed(holds) if each.verb is Verb.HAND_OVER), None)
    over = [ended for each, ended in ends if each.verb in HOLDS and ended]
    return Standing(
        hold=_because(holds[-1], zone) if holds else None,
        stopped=any(each.verb is not Verb.HAND_OVER for each in holds),
        forgotten=any(each.verb is Verb.FORGET for each in holds),
        owner=owner,
        quiet_until=longest[1] if longest else None,
        quiet_why=_because(longest[0], zone) if longest else "",
        paused_until=latest(*(end for each, end in quiet if each.verb is Verb.PAUSE)),
        pushed_to=latest(*(end for _, end in quiet), *over),
        extension=sum((each.span or timedelta(0) for each in told if each.verb is Verb.EXTEND), timedelta(0)),
        moved_at=max((each.at for each in moving), default=None),
        promise=next((each for each in reversed(told) if each.verb is Verb.PROMISE), None),
        acknowledged_at=max(
            (each.at for each in told if each.verb in (Verb.ACKNOWLEDGE, Verb.HAND_OVER)), default=None
        ),
    )


def holding(account: Account, case: Case | None, now: datetime) -> list[Instruction]:
    """What of stop, exclude, hand over and pause holds at `now`, oldest first.

    For a case, or without one, what was said of the customer as a whole.
    """
    about = (
        said_about(account, case) if case else (each for each in account.instructions if each.case is None)
    )
    told = list(about)
    return [
        each
        for place, each in enumerate(told, start=1)
        if _ended_at(each, told[place:], case) is None
        and (each.verb in HOLDS or bool(each.verb is Verb.PAUSE and each.until and each.until > now))
    ]


def forgiven_at(account: Account, case: Case) -> datetime | None:
    """When somebody dropped the debt of this case."""
    told = (
        each.at for each in account.instructions if each.verb is Verb.FORGIVE and each.case == case.invoice
    )
    return min(told, default=None)


def broken_promises(account: Account, now: datetime) -> list[Instruction]:
    """Promises of this customer that were not kept, in any case: the day passed and nothing was paid."""
    broken = []
    for each in account.instructions:
        case = account.cases.get(each.case or "")
        if each.verb is not Verb.PROMISE or each.until is None or case is None:
            continue
        due = each.until + PROMISE_SLACK
        replaced = any(
            other.verb is Verb.PROMISE and other.case == each.case and each.at < other.at < due
            for other in account.instructions
        )
        # Whatever else closed the case before that day, it was not the customer who broke their word.
        if due <= now and not replaced and (case.closed_at is None or case.closed_at > due):
            broken.append(each)
    return broken


def said_about(account: Account, case: Case) -> Iterator[Instruction]:
    """What was said of this case, of its customer, or of another case where it reaches this one."""
    for each in account.instructions:
        if each.case is None or each.case == case.invoice or _still_stops(account, each, case):
            yield each


def _still_stops(account: Account, told: Instruction, case: Case) -> bool:
    """A stop outlives new failures of the same subscription, until what it stopped has been paid."""
    stopped = account.cases.get(told.case or "")
    if told.verb not in (Verb.STOP, Verb.RESUME) or stopped is None:
        return False
    if stopped.subscription != case.subscription:
        return False
    over = stopped.closed_at if stopped.outcome is Outcome.RECOVERED else None
    return over is None or case.opened_at < over


def _ended_at(told: Instruction, after: list[Instruction], case: Case | None) -> datetime | None:
    """When it was resumed: what was said of the whole customer ends only with a word about all of it.

    A word about another case ends what was said of that one.
    """
    about = {None} if told.case is None else {None, told.case, case.invoice if case else None}
    ends = Verb.REMEMBER if told.verb is Verb.FORGET else Verb.RESUME
    return next((each.at for each in after if each.verb is ends and each.case in about), None)


def _quiet_until(told: Instruction, ended: datetime | None) -> datetime | None:
    if told.until is None or told.verb not in (Verb.PAUSE, Verb.PROMISE):
        return None
    if told.verb is Verb.PROMISE:
        return told.until + PROMISE_SLACK
    return min(told.until, ended) if ended else told.until


def _because(told: Instruction, zone: tzinfo) -> str:
    day = f"{told.until.astimezone(zone):%Y-%m-%d}" if told.until else "-"
    match told.verb:
        case Verb.STOP:
            return f"{told.by} stopped it: {told.why}"
        case Verb.EXCLUDE:
            return f"{told.by} excluded the customer from dunning: {told.why}"
        case Verb.FORGET:
            return FORGOTTEN
        case Verb.HAND_OVER:
            return f"it was handed over to {told.to}"
        case Verb.PROMISE:
            return f"the customer promised to pay by {day}"
        case _:
            return f"{told.by} paused it until {day}: {told.why}"
