"""Warned before revoked: final warnings, the promised end, and when access is taken or kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.access import Level, Reason
from dunning.account import Account
from dunning.deadline import warnings_accepted
from dunning.events import CustomerFact
from dunning.plan import access_step_level
from dunning.policy import Policy
from dunning.steps import Effect, Kind, Step
from tests.dunning.builders import (
    INVOICE,
    SECOND,
    account,
    customer,
    day,
    effect,
    failures,
    history,
    keys,
    notice_sent,
    planned,
    step,
    subscription,
    the_case,
    warning,
    why,
)

Facts = list[CustomerFact]
FIRST, LAST = "final_warning:in_1:72h", "final_warning:in_1:24h"
REVOKE, UNWARNED = "access:in_1:revoked", "escalation:in_1:unwarned"
TOLD = notice_sent(0)


def due(known: Account, now: float, *done: Effect, policy: Policy | None = None) -> list[str]:
    """The keys of what is due on a day."""
    found = planned(known, now, *done, **({"policy": policy} if policy else {}))
    return [each.key for each in found.due(day(now))]


def test_the_whole_schedule_of_who_never_pays() -> None:
    """Day by day, with every mail accepted at once."""
    known, done, told = account(failures(0)), [TOLD], []
    for hour in range(0, 24 * 20, 6):
        for key in due(known, hour / 24, *done):
            kind = Kind.ACCESS if key == REVOKE else Kind.MAIL
            done.append(effect(key, hour / 24, kind=kind))
            told.append((hour / 24, key))
    assert told == [(11, FIRST), (13, LAST), (14, REVOKE)]


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
    assert deadline(the_case(known), history(*done), day(accepted)) == day(end)
    revoke, reminder = (
        step(planned(known, accepted, *done), REVOKE),
        step(planned(known, accepted, *done), LAST),
    )
    assert revoke is not None
    assert reminder is not None
    assert (revoke.due_at, reminder.due_at) == (day(end), day(end - 1))


def test_what_a_warning_has_to_promise() -> None:
    """Before any was accepted the end is what one accepted now would make it."""
    case = the_case(account(failures(0)))
    assert deadline(case, {}, day(5)) == day(14)
    assert deadline(case, {}, day(12)) == day(15)


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


@pytest.mark.parametrize(
    ("facts", "excuse"),
    [
        (
            [*failures(0), subscription(1, "past_due", cancel_at_period_end=True)],
            "the customer has cancelled: access lasts to the end of the period",
        ),
        (
            [*failures(0), subscription(1, "active", ref="sub_2")],
            "the customer has another subscription that entitles them",
        ),
        (failures(0, code="testmode_decline"), "the fault is on our side"),
    ],
    ids=["cancelled", "class_24_replaced", "our fault"],
)
def test_who_is_excused_is_neither_warned_nor_revoked(facts: Facts, excuse: str) -> None:
    """Not even long after grace, and not when a warning went out before the excuse."""
    for done in ([TOLD], [TOLD, warning(11), warning(13, 24)]):
        found = planned(account(facts), 40, *done)
        assert not [each for each in found.steps if each.name in ("final_warning", "revoked")]
        assert why(found, REVOKE) == excuse


def test_no_end_is_promised_where_nobody_takes_access() -> None:
    """The banner names no date for a fault of our own, which ends nothing."""
    told = planned(account(failures(0, code="testmode_decline")), 3).access
    assert (told.level, told.reason, told.until) == (Level.WARNED, Reason.PAYMENT_FAILED, None)


def test_access_may_be_limited_instead() -> None:
    """The policy says how hard the end is."""
    policy = Policy(at_expiry="limited")
    found = step(
        planned(account(failures(0), policy=policy), 14, TOLD, warning(11), policy=policy),
        "access:in_1:limited",
    )
    assert found is not None
    assert access_step_level(found) == "limited"


def test_only_an_access_step_leads_to_a_level() -> None:
    """Anything else is a caller's mistake."""
    with pytest.raises(ValueError, match="payment_failed"):
        access_step_level(Step(Kind.MAIL, "key", "payment_failed", INVOICE, day(0), "reason"))


def test_three_warnings_are_counted_from_the_same_end() -> None:
    """A policy with more of them."""
    policy = Policy(final_warnings=(timedelta(hours=96), timedelta(hours=48), timedelta(hours=24)))
    known, done = account(failures(0), policy=policy), [warning(12, 96)]
    second = step(planned(known, 12, *done, policy=policy), "final_warning:in_1:48h")
    assert second is not None
    assert second.due_at == day(13)
    third = step(planned(known, 13, *done, warning(13, 48), policy=policy), "final_warning:in_1:24h")
    assert third is not None
    assert third.due_at == day(14)


def test_a_grace_shorter_than_the_warning_still_warns_72_hours_ahead() -> None:
    """No policy can take access faster."""
    policy = Policy(grace=timedelta(days=1))
    known = account(failures(0), policy=policy)
    assert due(known, 0, policy=policy) == [FIRST]
    assert due(known, 3 - 1e-5, warning(0), warning(2, 24), policy=policy) == []
    assert due(known, 3, warning(0), warning(2, 24), policy=policy) == [REVOKE]


def taken(known: Account, at: float = 14, ref: str = INVOICE) -> Account:
    case = replace(known.cases[ref], taken_at=day(at), taken_level="revoked")
    return replace(known, cases={**known.cases, ref: case})


def test_what_is_taken_is_not_taken_twice() -> None:
    """Nor warned of any more."""
    found = planned(taken(account(failures(0))), 20, TOLD, warning(11))
    assert keys(found) == ["access_ended:in_1"]


@pytest.mark.parametrize(
    "stopped",
    [
        subscription(5, "unpaid"),
        subscription(5, "paused", paused_for="final_payment_failure"),
        subscription(5, "canceled", ended_for="payment_failed"),
        customer(5, deleted=True),
    ],
)
def test_where_stripe_has_stopped_nobody_is_warned(stopped: CustomerFact) -> None:
    """There is nothing left to lose."""
    found = planned(account(failures(0), stopped), 30, TOLD)
    assert not [each for each in found.steps if each.name in ("final_warning", "revoked", "payment_failed")]


def test_class_20_a_newer_case_does_not_warn_of_what_the_older_has_taken() -> None:
    """Stripe goes on billing a past due subscription: "access ends in 72 hours" would be absurd by then."""
    known = taken(account(failures(0), failures(7, ref="in_2")))
    found = planned(known, 25, TOLD, warning(11), effect("access_ended:in_1", 14))
    assert not [each for each in found.steps if each.case == "in_2"]


def test_class_20_a_case_of_another_subscription_is_warned_of() -> None:
    """It gives access of its own."""
    known = taken(account(failures(0), failures(7, ref="in_2", of="sub_2")))
    found = planned(known, 18, TOLD, warning(11), effect("access_ended:in_1", 14))
    assert "final_warning:in_2:72h" in keys(found)
