"""Warned before revoked: final warnings, what they promise, and when access is taken after them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dunning.account import Account
from dunning.deadline import warnings_accepted
from dunning.events import CustomerFact
from dunning.policy import Policy
from dunning.rules.context import context
from dunning.steps import Effect, Kind
from tests.dunning.builders import (
    POLICY,
    SECOND,
    account,
    day,
    effect,
    failures,
    history,
    notice_sent,
    planned,
    policy,
    step,
    the_case,
    warning,
    why,
)

Facts = list[CustomerFact]
FIRST, LAST = "final_warning:in_1:72h", "final_warning:in_1:24h"
REVOKE, UNWARNED = "access:in_1:revoked", "escalation:in_1:unwarned"
TOLD = notice_sent(0)


def due(known: Account, now: float, *done: Effect, policy: Policy = POLICY) -> list[str]:
    """The keys of what is due on a day."""
    found = planned(known, now, *done, policy=policy)
    return [each.key for each in found.due(day(now))]


def test_the_whole_schedule_of_who_never_pays() -> None:
    """Day by day, with every mail accepted at once."""
    known, done, told = account(failures(0)), [], []
    for hour in range(0, 24 * 20, 6):
        for key in due(known, hour / 24, *done):
            kind = Kind.ACCESS if key == REVOKE else Kind.MAIL
            done.append(effect(key, hour / 24, kind=kind))
            told.append((hour / 24, key))
    ladder = [(1, "payment_failed:in_1:1"), (4, "payment_failed:in_1:2"), (8, "payment_failed:in_1:3")]
    assert told == [*ladder, (11, FIRST), (13, LAST), (14, REVOKE)]


def ends_at(known: Account, now: float, *done: Effect) -> datetime:
    """When access ends, as it has to be told on a day."""
    return context(known, the_case(known), history(*done), POLICY, day(now)).ends_at


@pytest.mark.parametrize("seconds", [-1, 0, 1])
@pytest.mark.parametrize(
    ("at", "key", "done"), [(11, FIRST, []), (13, LAST, [warning(11)]), (14, REVOKE, [warning(11)])]
)
def test_each_is_due_to_the_second(at: float, key: str, done: list[Effect], seconds: int) -> None:
    """Not a second early, and at once when its time has come."""
    now = day(at) + seconds * SECOND
    found = planned(account(failures(0)), now, TOLD, *done)
    assert (key in [each.key for each in found.due(now)]) is (seconds >= 0)


def test_each_warning_waits_for_the_one_before() -> None:
    """Its promise counts from what the first one promised."""
    assert step(planned(account(failures(0)), 13.5), LAST) is None
    found = planned(account(failures(0)), 13.5, warning(13.2, status="pending"))
    assert step(found, LAST) is None
    assert why(found, LAST) == "the warning before it is still on its way"


@pytest.mark.parametrize("status", ["pending", "sending", "unknown", "failed", "suppressed"])
def test_class_8_only_an_accepted_warning_starts_the_clock(status: str) -> None:
    """Access is never taken on the strength of a mail that nobody took."""
    found = planned(account(failures(0)), 30, TOLD, warning(11, status=status))
    assert step(found, REVOKE) is None
    assert why(found, REVOKE) == "no final warning has been accepted by the customer's mail server yet"


@pytest.mark.parametrize(
    ("accepted", "end"), [(11.0, 14.0), (10.9, 14.0), (11.5, 14.5), (13.9, 16.9), (40.0, 43.0)]
)
def test_the_end_is_72_hours_after_the_first_accepted_warning(accepted: float, end: float) -> None:
    """Never before grace ends; the reminder is due a day before."""
    known, done = account(failures(0)), [TOLD, warning(accepted)]
    assert ends_at(known, accepted, *done) == day(end)
    revoke, reminder = (
        step(planned(known, accepted, *done), REVOKE),
        step(planned(known, accepted, *done), LAST),
    )
    assert revoke is not None
    assert reminder is not None
    assert (revoke.due_at, reminder.due_at) == (day(end), day(end - 1))


def test_what_a_warning_has_to_promise() -> None:
    """Before any was accepted the end is what one accepted now would make it."""
    known = account(failures(0))
    assert ends_at(known, 5) == day(14)
    assert ends_at(known, 12) == day(15)


def test_the_earliest_accepted_warning_counts() -> None:
    """A second one prolongs nothing, and warnings of other cases are not ours."""
    done = history(warning(13, 24), warning(11), warning(1, ref="in_2"), warning(2, 48, status="unknown"))
    assert warnings_accepted(the_case(account(failures(0))), done) == [day(11), day(13)]


def test_class_13_a_later_failure_moves_no_deadline() -> None:
    """The eighth retry fails a day before the end."""
    found = planned(account(failures(0, 3, 13)), 13.5, TOLD, warning(11), warning(13, 24))
    revoke = step(found, REVOKE)
    assert revoke is not None
    assert revoke.due_at == day(14)


def test_a_case_learned_of_after_its_deadline_is_warned_first() -> None:
    """An outage of weeks: 72 hours from the first mail, as for everybody, and nobody is called in vain."""
    known = account(failures(0))
    assert due(known, 30) == [FIRST]
    assert due(known, 30, warning(30, status="pending")) == []
    assert due(known, 31.9, warning(30)) == []
    assert due(known, 32, warning(30)) == [LAST]
    assert due(known, 33 - 1e-5, warning(30), warning(32, 24)) == []
    assert due(known, 33, warning(30), warning(32, 24)) == [REVOKE]


@pytest.mark.parametrize("status", ["failed", "unknown", "suppressed"])
def test_class_28_who_could_not_be_warned_becomes_the_teams(status: str) -> None:
    """Both warnings failed: access is kept and a person decides."""
    done = [TOLD, warning(11, status=status), warning(13, 24, status=status)]
    known = account(failures(0))
    assert UNWARNED not in due(known, 14 - 1e-5, *done)
    assert UNWARNED in due(known, 14, *done)
    assert step(planned(known, 60, *done), REVOKE) is None


def test_the_reminder_may_be_the_warning_that_arrived() -> None:
    """The first one bounced, the second was accepted: 72 hours from then."""
    done = [TOLD, warning(11, status="failed"), warning(13, 24)]
    found = planned(account(failures(0)), 14, *done)
    revoke = step(found, REVOKE)
    assert revoke is not None
    assert revoke.due_at == day(16)
    assert step(found, UNWARNED) is None


def test_a_warning_on_its_way_is_nobodys_failure() -> None:
    """The team is called when the mail server has given its answer."""
    done = [TOLD, warning(11, status="failed"), warning(13.9, 24, status="sending")]
    assert UNWARNED not in due(account(failures(0)), 14, *done)


def test_three_warnings_are_counted_from_the_same_end() -> None:
    """A policy with more of them."""
    longer = policy(final_warnings=(timedelta(hours=96), timedelta(hours=48), timedelta(hours=24)))
    known, done = account(failures(0), policy=longer), [warning(12, 96)]
    second = step(planned(known, 12, *done, policy=longer), "final_warning:in_1:48h")
    assert second is not None
    assert second.due_at == day(13)
    third = step(planned(known, 13, *done, warning(13, 48), policy=longer), "final_warning:in_1:24h")
    assert third is not None
    assert third.due_at == day(14)


def test_a_grace_shorter_than_the_warning_still_warns_72_hours_ahead() -> None:
    """No policy can take access faster."""
    hasty = policy(grace=timedelta(days=1))
    known = account(failures(0), policy=hasty)
    assert due(known, 0, policy=hasty) == [FIRST]
    assert due(known, 3 - 1e-5, warning(0), warning(2, 24), policy=hasty) == []
    assert due(known, 3, warning(0), warning(2, 24), policy=hasty) == [REVOKE]
