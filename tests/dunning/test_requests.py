"""What may be said, when, and what to do instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dunning.access import Level, Reason
from dunning.account import Account
from dunning.case import settle
from dunning.instructions import Instruction, Verb
from dunning.plan import plan
from dunning.policy import Policy
from dunning.refusals import refusal
from dunning.requests import Request, as_instruction, end_of_day
from dunning.standing import broken_promises, standing
from dunning.steps import Effect, Kind
from tests.dunning.builders import (
    POLICY,
    account,
    day,
    effect,
    failures,
    history,
    paid,
    planned,
    subscription,
    the_case,
    voided,
    written_off,
)

CALL = effect("escalation:in_1:attempts", 3, kind=Kind.TEAM)


def told(verb: Verb, at: float = 1, case: str | None = "in_1", **fields: Any) -> Instruction:
    """An instruction given on a day."""
    return Instruction(verb, day(at), "maria", "they asked", case, **fields)


def saying(known: Account, *instructions: Instruction) -> Account:
    """The account after these were given."""
    return settle(replace(known, instructions=instructions), POLICY)


def refused(
    known: Account, said: Instruction, now: float = 2, *done: Effect, policy: Policy = POLICY
) -> str | None:
    found = refusal(known, history(*done), policy, said, day(now))
    return found and found.text


FAILED = failures(0, 1)
PAUSE_5 = told(Verb.PAUSE, until=day(5))
PROMISE_5 = told(Verb.PROMISE, until=day(5))


@pytest.mark.parametrize(
    "said",
    [
        told(Verb.STOP, 2),
        told(Verb.PAUSE, 2, until=day(9)),
        told(Verb.EXTEND, 2, span=timedelta(days=7)),
        told(Verb.FORGIVE, 2),
        told(Verb.HAND_OVER, 2, to="nora"),
        told(Verb.PROMISE, 2, until=day(12)),
        told(Verb.ACKNOWLEDGE, 4),
        told(Verb.EXCLUDE, 2, case=None),
        told(Verb.PAUSE, 2, case=None, until=day(9)),
    ],
    ids=lambda said: said.verb,
)
def test_what_can_be_meant_may_be_said(said: Instruction) -> None:
    """Of a running case on which nobody has said anything yet."""
    assert refused(account(FAILED), said, 4, CALL) is None


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (replace(told(Verb.STOP), by=""), "give a name"),
        (replace(told(Verb.STOP), why=""), "give a reason"),
        (told(Verb.STOP, case="in_9"), "no case of in_9"),
        (told(Verb.STOP, case=None), "said of one case"),
        (told(Verb.EXCLUDE), "said of a whole customer"),
        (told(Verb.PAUSE), "needs its end"),
        (told(Verb.PAUSE, until=day(1)), "has passed"),
        (told(Verb.PAUSE, until=day(94)), "90 days at most"),
        (told(Verb.EXTEND), "needs its length"),
        (told(Verb.EXTEND, span=timedelta(days=8)), "by 7 days at most"),
        (told(Verb.PROMISE), "needs its day"),
        (told(Verb.PROMISE, until=day(1)), "has passed"),
        (told(Verb.PROMISE, until=day(14)), "10 days ahead at most"),
        (told(Verb.HAND_OVER), "give their name"),
        (told(Verb.ACKNOWLEDGE), "no call to acknowledge"),
        (told(Verb.RESUME), "nothing to resume"),
        (told(Verb.RESUME, case=None), "nothing to resume"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: Instruction, words: str) -> None:
    """Each with its cure."""
    assert words in (refused(account(FAILED), said) or "")


@pytest.mark.parametrize(
    ("before", "said", "words"),
    [
        (told(Verb.STOP), told(Verb.STOP, 2), "maria said stop on 2026-03-02 (they asked)"),
        (told(Verb.STOP), told(Verb.PAUSE, 2, until=day(9)), "Resume it first"),
        (PAUSE_5, told(Verb.PAUSE, 2, until=day(4.5)), "for as long already"),
        (told(Verb.EXCLUDE, case=None), told(Verb.EXCLUDE, 2, case=None), "Nothing is done"),
        (told(Verb.EXCLUDE, case=None), told(Verb.RESUME, 2), "resume the customer"),
        (
            told(Verb.EXTEND, span=timedelta(days=3)),
            told(Verb.EXTEND, 2, span=timedelta(days=3)),
            "once is all",
        ),
        (PROMISE_5, told(Verb.PROMISE, 2, until=day(6)), "one promise at a time"),
        (told(Verb.HAND_OVER, to="nora"), told(Verb.HAND_OVER, 2, to="nora"), "nora has it already"),
        (told(Verb.FORGIVE), told(Verb.FORGIVE, 2), "it was forgiven"),
        (told(Verb.FORGIVE), told(Verb.STOP, 2), "it was forgiven"),
        (told(Verb.ACKNOWLEDGE, 4), told(Verb.ACKNOWLEDGE, 5), "there is none since"),
    ],
)
def test_what_changes_nothing_is_refused(before: Instruction, said: Instruction, words: str) -> None:
    """Whoever says it again believes that it is otherwise."""
    assert words in (refused(saying(account(FAILED), before), said, 4, CALL) or "")


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (PAUSE_5, told(Verb.PAUSE, 2, until=day(9))),
        (told(Verb.HAND_OVER, to="nora"), told(Verb.HAND_OVER, 2, to="olga")),
        (told(Verb.ACKNOWLEDGE, 2), told(Verb.ACKNOWLEDGE, 4)),
        (told(Verb.STOP), told(Verb.FORGIVE, 2)),
        *(
            (held, told(Verb.RESUME, 2))
            for held in (told(Verb.STOP), PAUSE_5, told(Verb.HAND_OVER, to="nora"))
        ),
        (told(Verb.EXCLUDE, case=None), told(Verb.RESUME, 2, case=None)),
    ],
)
def test_what_changes_something_may_follow(before: Instruction, said: Instruction) -> None:
    """A longer pause, another owner, a new call, an end to what holds."""
    assert refused(saying(account(FAILED), before), said, 4, CALL) is None


def test_what_has_been_resumed_may_be_said_again() -> None:
    """And resumed only once."""
    known = saying(account(FAILED), told(Verb.STOP), told(Verb.RESUME, 2))
    assert refused(known, told(Verb.STOP, 3), 3) is None
    assert "nothing to resume" in (refused(known, told(Verb.RESUME, 3), 3) or "")


@pytest.mark.parametrize(
    ("facts", "said", "words"),
    [
        ([paid(3), subscription(3, "active")], told(Verb.STOP, 4), "(recovered)"),
        ([paid(3), subscription(3, "active")], told(Verb.FORGIVE, 4), "no debt left"),
        ([voided(3)], told(Verb.FORGIVE, 4), None),
        ([written_off(3)], told(Verb.FORGIVE, 4), None),
        ([written_off(3)], told(Verb.EXTEND, 4, span=timedelta(days=1)), "(written_off)"),
        ([subscription(3, "unpaid")], told(Verb.EXTEND, 4, span=timedelta(days=1)), "unpaid"),
        ([subscription(3, "unpaid")], told(Verb.PROMISE, 4, until=day(6)), "decided there"),
    ],
)
def test_what_is_over_is_not_moved(facts: list[Any], said: Instruction, words: str | None) -> None:
    """A paid case is done; a debt that was given up may still be forgiven."""
    found = refused(account(FAILED, facts), said, 4)
    assert found is None if words is None else words in (found or "")


def test_access_that_was_taken_is_not_extended() -> None:
    """A payment or a person who forgives gives it back, more time does not."""
    known = account(FAILED)
    case = replace(the_case(known), taken_at=day(15), taken_level="revoked")
    known = replace(known, cases=MappingProxyType({"in_1": case}))
    for said in (told(Verb.EXTEND, 16, span=timedelta(days=1)), told(Verb.PROMISE, 16, until=day(18))):
        assert "ended already" in (refused(known, said, 16) or "")


def test_a_first_payment_has_no_end_to_move() -> None:
    """Nothing was granted."""
    known = account(failures(0, billing_reason="subscription_create"), subscription(0, "incomplete"))
    assert "first payment" in (refused(known, told(Verb.EXTEND, 0.1, span=timedelta(days=1)), 0.1) or "")


def test_a_policy_may_take_no_promises() -> None:
    """Or other spans."""
    policy = POLICY.model_copy(update={"promise_within": None})
    said = told(Verb.PROMISE, 2, until=day(3))
    assert "takes no promises" in (refused(account(FAILED, policy=policy), said, policy=policy) or "")


@pytest.mark.parametrize("ref", ["in_1", "in_2"])
def test_a_broken_promise_is_remembered_in_every_case(ref: str) -> None:
    """Of this case or of another one: the next promise is refused, other words are not."""
    known = saying(account(FAILED, failures(3, ref="in_2", of="sub_2")), PROMISE_5)
    assert "did not" in (refused(known, told(Verb.PROMISE, 7, ref, until=day(9)), 7) or "")
    assert refused(known, told(Verb.EXTEND, 7, ref, span=timedelta(days=2)), 7) is None


@pytest.mark.parametrize(
    ("facts", "said", "broken"),
    [
        ([], [], 1),
        ([paid(4), subscription(4, "active")], [], 0),
        ([paid(8), subscription(8, "active")], [], 1),
        ([], [told(Verb.FORGIVE, 4)], 0),
        ([voided(4)], [], 0),
        ([voided(8)], [], 1),
    ],
)
def test_only_the_customer_breaks_a_promise(facts: list[Any], said: list[Instruction], broken: int) -> None:
    """Whoever was forgiven, or whose invoice was taken back before the day, has broken no word."""
    known = saying(account(FAILED, facts), PROMISE_5, *said)
    assert len(broken_promises(known, day(9))) == broken


def test_to_resume_one_case_leaves_the_pause_of_another() -> None:
    """A stop reaches the other cases of its subscription and ends with any of them; a pause is one case's."""
    known = account(FAILED, failures(1, ref="in_2"))
    paused = saying(known, PAUSE_5, told(Verb.STOP, 1, "in_2"), told(Verb.RESUME, 2, "in_2"))
    assert standing(paused, the_case(paused)).quiet_until == day(5)
    assert standing(paused, the_case(paused)).hold is None


def test_forgiving_lifts_a_write_off_and_no_later_one() -> None:
    """What a person gave back stays given back, until another debt is given up."""
    known = account(FAILED, subscription(9, "unpaid"), written_off(10), subscription(11, "active"))
    assert planned(known, 12).access.level is Level.REVOKED
    forgiven = saying(known, told(Verb.FORGIVE, 12))
    assert planned(forgiven, 12).access.level is Level.FULL
    later = account(
        FAILED,
        subscription(9, "unpaid"),
        written_off(10),
        failures(31, ref="in_2"),
        subscription(40, "unpaid"),
        written_off(41, ref="in_2"),
        subscription(42, "active"),
    )
    again = saying(later, told(Verb.FORGIVE, 12))
    access = plan(again, {}, POLICY, day(43)).access
    assert (access.level, access.reason) == (Level.REVOKED, Reason.WRITTEN_OFF)


def test_a_day_counts_to_its_end_in_the_merchants_zone() -> None:
    """West of Greenwich that is already the next day in UTC, and is still called by its name."""
    zone = ZoneInfo("America/New_York")
    assert end_of_day(date(2026, 3, 10), zone) == datetime(2026, 3, 11, 3, 59, 59, tzinfo=UTC)
    policy = POLICY.model_copy(update={"time_zone": "America/New_York"})
    request = Request(Verb.PAUSE, " maria ", "they asked. ", "in_1", until=date(2026, 3, 10))
    said = as_instruction(request, zone, day(1))
    assert (said.by, said.why, said.at) == ("maria", "they asked", day(1))
    known = replace(account(FAILED, policy=policy), instructions=(said,))
    notice = next(step for step in plan(known, {}, policy, day(2)).steps if step.kind is Kind.MAIL)
    assert notice.reason.endswith("maria paused it until 2026-03-10: they asked")
    assert notice.due_at == said.until


def test_days_are_counted_from_the_accounts_present() -> None:
    """A customer on a test clock lives in another time than whoever asks."""
    request = Request(Verb.PROMISE, "maria", "they asked", "in_1", span=timedelta(days=3))
    assert as_instruction(request, UTC, day(1)).until == datetime(2026, 3, 5, 23, 59, 59, tzinfo=UTC)


def test_whoever_takes_over_uncalled_is_reminded_all_the_same() -> None:
    """Nobody had been called before the case was handed over: it must not be forgotten for that."""
    known = saying(account(FAILED), told(Verb.HAND_OVER, 2, to="nora"))
    [reminder] = planned(known, 2).steps
    assert reminder.key == "escalation:in_1:reminder:1"
    assert reminder.due_at > day(2)
    assert "nora has taken this over" in reminder.reason
