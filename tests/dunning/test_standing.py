"""What people's instructions come to: their scope, their end, and promises that were not kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dunning.account import Account
from dunning.events import CustomerFact
from dunning.instructions import Instruction, Verb
from dunning.standing import NOTHING_SAID, Standing, broken_promises, standing
from tests.dunning.builders import SECOND, account, day, failures, paid, subscription, voided, written_off
from tests.dunning.more_builders import after, said

STOPPED = "Ada stopped it: because"
EXCLUDED = "Ada excluded the customer from dunning: because"
HANDED = "it was handed over to Grace"
STOP = said(Verb.STOP, 1)
OTHER_PLAN = failures(5, ref="in_3", of="sub_2")


def of(known: Account, *told: Instruction, ref: str = "in_1") -> Standing:
    known = after(known, *told)
    return standing(known, known.cases[ref])


def test_nothing_said_is_nothing_held() -> None:
    """Most cases are left to the rules."""
    assert of(account(failures(0))) is NOTHING_SAID


@pytest.mark.parametrize(
    ("told", "hold", "stopped", "owner"),
    [
        ([STOP], STOPPED, True, None),
        ([said(Verb.EXCLUDE, 1, case=None)], EXCLUDED, True, None),
        ([said(Verb.HAND_OVER, 1, to="Grace")], HANDED, False, "Grace"),
        ([STOP, said(Verb.HAND_OVER, 2, to="Grace")], HANDED, True, "Grace"),
        ([said(Verb.HAND_OVER, 1, to="Grace"), said(Verb.STOP, 2)], STOPPED, True, "Grace"),
        (
            [said(Verb.HAND_OVER, 1, to="Grace"), said(Verb.HAND_OVER, 2, to="Alan")],
            "it was handed over to Alan",
            False,
            "Alan",
        ),
        ([STOP, said(Verb.RESUME, 2)], None, False, None),
        ([said(Verb.RESUME, 0.5), STOP], STOPPED, True, None),
        ([STOP, said(Verb.RESUME, 2), said(Verb.STOP, 3)], STOPPED, True, None),
        ([STOP, said(Verb.RESUME, 2, case=None)], None, False, None),
        ([said(Verb.HAND_OVER, 1, to="Grace"), said(Verb.RESUME, 2)], None, False, None),
        # What was said of the whole customer ends only with a word about all of it.
        ([said(Verb.EXCLUDE, 1, case=None), said(Verb.RESUME, 2)], EXCLUDED, True, None),
        ([said(Verb.EXCLUDE, 1, case=None), said(Verb.RESUME, 2, case=None)], None, False, None),
        ([said(Verb.STOP, 1, case=None), STOP, said(Verb.RESUME, 2)], STOPPED, True, None),
        # Another case of another subscription.
        ([said(Verb.STOP, 6, case="in_3")], None, False, None),
        ([STOP, said(Verb.RESUME, 6, case="in_3")], STOPPED, True, None),
        ([said(Verb.PAUSE, 1, until=3)], None, False, None),
        ([said(Verb.ACKNOWLEDGE, 1)], None, False, None),
    ],
)
def test_what_holds_a_case(
    told: list[Instruction], hold: str | None, stopped: bool, owner: str | None
) -> None:
    """The newest hold gives the reason; each ends only by a word about the same thing, or about more."""
    found = of(account(failures(0), OTHER_PLAN), *told)
    assert (found.hold, found.stopped, found.owner) == (hold, stopped, owner)


AGAIN = failures(30, ref="in_2")
GOOD = subscription(20, status="active")


@pytest.mark.parametrize(
    ("facts", "told", "ref", "hold"),
    [
        (AGAIN, [STOP], "in_2", STOPPED),
        ([*AGAIN, *AGAIN], [STOP], "in_2", STOPPED),
        (OTHER_PLAN, [STOP], "in_3", None),
        (AGAIN, [said(Verb.STOP, 1, case=None)], "in_2", STOPPED),
        (OTHER_PLAN, [said(Verb.STOP, 1, case=None)], "in_3", STOPPED),
        # Paid before it failed again: another matter.
        ([paid(20), GOOD, *AGAIN], [STOP], "in_2", None),
        ([paid(20), GOOD, *AGAIN], [said(Verb.STOP, 1, case=None)], "in_2", STOPPED),
        # It failed again first.
        ([*AGAIN, paid(40)], [STOP], "in_2", STOPPED),
        # A write-off or a void is not a payment.
        ([written_off(20), *AGAIN], [STOP], "in_2", STOPPED),
        ([voided(20), *AGAIN], [STOP], "in_2", STOPPED),
        # Taken back, by a word about either case.
        (AGAIN, [STOP, said(Verb.RESUME, 31)], "in_2", None),
        (AGAIN, [STOP, said(Verb.RESUME, 31, case="in_2")], "in_2", None),
        (AGAIN, [STOP, said(Verb.RESUME, 31, case="in_2")], "in_1", STOPPED),
        (AGAIN, [STOP, said(Verb.RESUME, 31, case=None)], "in_2", None),
        # A word about the old case says nothing of what was said of the new one.
        (AGAIN, [STOP, said(Verb.STOP, 31, case="in_2"), said(Verb.RESUME, 32)], "in_2", STOPPED),
        (
            AGAIN,
            [said(Verb.HAND_OVER, 31, case="in_2", to="Grace"), STOP, said(Verb.RESUME, 32)],
            "in_2",
            HANDED,
        ),
        # Only a stop outlives its case.
        (AGAIN, [said(Verb.HAND_OVER, 1, to="Grace")], "in_2", None),
    ],
)
def test_class_37_a_stop_outlives_the_next_failure(
    facts: list[CustomerFact], told: list[Instruction], ref: str, hold: str | None
) -> None:
    """Whoever stopped a case does not have to stop every invoice that follows, until it is paid."""
    assert of(account(failures(0), facts), *told, ref=ref).hold == hold


@pytest.mark.parametrize(
    ("told", "quiet", "why"),
    [
        ([said(Verb.PAUSE, 1, until=5)], 5, "Ada paused it until 2026-03-06: because"),
        (
            [said(Verb.PAUSE, 1, until=5), said(Verb.PAUSE, 2, until=4)],
            5,
            "Ada paused it until 2026-03-06: because",
        ),
        ([said(Verb.PAUSE, 1, until=5), said(Verb.RESUME, 3)], 3, "Ada paused it until 2026-03-06: because"),
        ([said(Verb.PAUSE, 1, until=5), said(Verb.RESUME, 7)], 5, "Ada paused it until 2026-03-06: because"),
        (
            [said(Verb.PAUSE, 1, case=None, until=5), said(Verb.RESUME, 3)],
            5,
            "Ada paused it until 2026-03-06: because",
        ),
        ([said(Verb.PROMISE, 1, until=5)], 6, "the customer promised to pay by 2026-03-06"),
        (
            [said(Verb.PROMISE, 1, until=5), said(Verb.RESUME, 3)],
            6,
            "the customer promised to pay by 2026-03-06",
        ),
        (
            [said(Verb.PROMISE, 1, until=5), said(Verb.PAUSE, 2, until=9)],
            9,
            "Ada paused it until 2026-03-10: because",
        ),
        ([said(Verb.PAUSE, 1, case="in_3", until=5)], None, ""),
        ([STOP], None, ""),
    ],
)
def test_how_long_it_is_quiet(told: list[Instruction], quiet: float | None, why: str) -> None:
    """Until the latest day that was named; a promise has a day for the money to arrive."""
    found = of(account(failures(0), OTHER_PLAN), *told)
    assert found.quiet_until == (None if quiet is None else day(quiet))
    assert found.quiet_why == why


def test_when_time_was_given_last_is_remembered() -> None:
    """By an extension, a pause, a promise, or whoever resumes."""
    told = [
        said(Verb.ACKNOWLEDGE, 1),
        said(Verb.EXTEND, 2, span=timedelta(days=7)),
        said(Verb.PROMISE, 3, until=9),
        STOP,
        said(Verb.RESUME, 5),
        said(Verb.ACKNOWLEDGE, 6),
    ]
    found = of(account(failures(0)), *told)
    assert (found.moved_at, found.extension) == (day(5), timedelta(days=7))
    assert found.acknowledged_at == day(6)
    assert found.promise == told[2]


@pytest.mark.parametrize(("seconds", "broken"), [(-1, False), (0, True), (1, True)])
def test_a_promise_is_broken_a_day_after_the_promised_one(seconds: int, broken: bool) -> None:
    """A transfer that was sent on the promised day arrives on the next."""
    promise = said(Verb.PROMISE, 1, until=5)
    known = after(account(failures(0)), promise)
    now = day(6) + seconds * SECOND
    assert standing(known, known.cases["in_1"]).promise_broken(now) is broken
    assert broken_promises(known, now) == ([promise] if broken else [])


PROMISE = said(Verb.PROMISE, 1, until=5)


@pytest.mark.parametrize(
    ("facts", "told", "broken"),
    [
        ([], [PROMISE], 1),
        ([paid(4)], [PROMISE], 0),
        ([paid(6)], [PROMISE], 0),
        ([paid(6.1)], [PROMISE], 1),
        ([paid(6, amount=0)], [PROMISE], 0),
        ([voided(4)], [PROMISE], 0),
        ([voided(8)], [PROMISE], 1),
        # Whatever else ended it before that day, it was not the customer who broke their word.
        ([written_off(4)], [PROMISE], 0),
        ([], [PROMISE, said(Verb.FORGIVE, 4)], 0),
        # Stripe ended it meanwhile, and they paid all the same.
        ([subscription(3, status="canceled", ended_at=day(3)), paid(5)], [PROMISE], 0),
        ([subscription(3, status="canceled", ended_at=day(3))], [PROMISE], 0),
        # Another day was agreed in time, or too late.
        ([], [PROMISE, said(Verb.PROMISE, 4, until=20)], 0),
        ([], [PROMISE, said(Verb.PROMISE, 7, until=20)], 1),
        ([], [PROMISE, said(Verb.PROMISE, 7, until=9)], 2),
        ([], [PROMISE, said(Verb.PROMISE, 2, case="in_3", until=9)], 2),
        ([], [said(Verb.PROMISE, 1, until=30)], 0),
    ],
)
def test_broken_promises_are_remembered_over_all_cases(
    facts: list[CustomerFact], told: list[Instruction], broken: int
) -> None:
    """The day passed and there was still something to pay."""
    known = after(account(failures(0), OTHER_PLAN, facts), *told)
    assert len(broken_promises(known, day(15))) == broken
