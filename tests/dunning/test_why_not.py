"""Asked again at the point of effect: is what was decided a moment ago still wanted?"""

from __future__ import annotations

import pytest

from dunning.account import Account
from dunning.events import CustomerFact
from dunning.plan import plan, why_not
from dunning.steps import Effect, Kind, Plan
from tests.dunning.builders import (
    POLICY,
    account,
    day,
    effect,
    failures,
    history,
    method,
    notice_sent,
    paid,
    planned,
    subscription,
    voided,
    warning,
)

Facts = list[CustomerFact]
FIRST = "payment_failed:in_1:attempt:1"


def excuse(known: Account, now: float, key: str, *done: Effect) -> str | None:
    return why_not(known, history(*done), POLICY, day(now), key)


def test_what_is_still_due_goes_ahead() -> None:
    """Its own row in the history is not held against it."""
    assert excuse(account(failures(0)), 0, FIRST, notice_sent(0, status="sending")) is None


@pytest.mark.parametrize("ending", [paid(1), voided(1), subscription(1, "canceled")])
def test_class_2_a_closed_case_wants_none_of_it(ending: CustomerFact) -> None:
    """The customer paid between decision and dispatch."""
    known = account(failures(0), ending)
    for decided in (notice_sent(0, status="sending"), warning(11, status="sending")):
        assert excuse(known, 1, decided.key, decided) == "the case no longer calls for it"


def test_a_newer_failure_takes_over() -> None:
    """A notice that waited for the mail server is out of date."""
    decided = notice_sent(0, status="sending")
    reason = excuse(account(failures(0, 1)), 1, decided.key, decided)
    assert reason == "a newer failure of the same invoice is told instead"


def test_a_new_card_makes_a_notice_pointless() -> None:
    """The customer has done what it asks for."""
    decided = notice_sent(1, 2, status="sending")
    reason = excuse(account(failures(0, 1), method(1.1)), 1.2, decided.key, notice_sent(0), decided)
    assert reason == "the customer gave a new payment method after this failure"


def test_a_late_notice_gives_way_to_the_warnings() -> None:
    """It was decided before the last three days and is delivered in them."""
    decided = notice_sent(10.9, status="sending")
    assert excuse(account(failures(0)), 11, decided.key, decided) == "the final warnings tell it"


def test_class_15_a_cancellation_stops_a_warning() -> None:
    """Decided, and then the customer cancelled."""
    known = account(failures(0), subscription(11.5, "past_due", cancel_at_period_end=True))
    decided = warning(11, status="sending")
    assert excuse(known, 11.6, decided.key, decided) == (
        "the customer has cancelled: access lasts to the end of the period"
    )


def test_both_warnings_go_ahead_in_their_time() -> None:
    """The second is asked about with the first accepted."""
    known = account(failures(0))
    assert excuse(known, 11, warning(11).key, warning(11, status="sending")) is None
    decided = warning(13, 24, status="sending")
    assert excuse(known, 13, decided.key, warning(11), decided) is None


def test_the_call_of_the_team_is_withdrawn_with_the_payment() -> None:
    """Nobody is called about a paid invoice."""
    decided = effect("escalation:in_1:attempts", 3, "sending", kind=Kind.TEAM)
    assert excuse(account(failures(0, 1, 3)), 3, decided.key, decided) is None
    assert excuse(account(failures(0, 1, 3), paid(3.1)), 3.2, decided.key, decided)


def test_a_warning_that_arrived_withdraws_the_alarm_about_it() -> None:
    """The team would be told something that is no longer true."""
    known = account(failures(0))
    decided = effect("escalation:in_1:unwarned", 14, "sending", kind=Kind.TEAM)
    done = [warning(11, status="failed"), decided]
    assert excuse(known, 14, decided.key, *done, warning(13, 24, status="failed")) is None
    assert excuse(known, 14, decided.key, *done, warning(13.9, 24)) == "the case no longer calls for it"


def test_an_unknown_step_is_not_called_for() -> None:
    """A key nobody plans."""
    assert excuse(account(failures(0)), 1, "invitation:in_1") == "the case no longer calls for it"


def test_the_plan_says_when_a_case_wants_attention() -> None:
    """The earliest of its steps, whatever other cases want."""
    known = account(failures(0), failures(2, ref="in_2", of="sub_2"))
    found: Plan = planned(known, 3, notice_sent(0), notice_sent(2, ref="in_2"))
    assert (found.next_due("in_1"), found.next_due("in_2")) == (day(11), day(13))
    assert found.next_due("in_3") is None


def test_a_plan_without_cases_is_empty() -> None:
    """Somebody who never failed."""
    assert plan(account(subscription(0, "active")), {}, POLICY, day(0)).steps == ()
