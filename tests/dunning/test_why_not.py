"""Asked again at the point of effect: is what was decided a moment ago still wanted?"""

from __future__ import annotations

import pytest

from dunning.account import Account
from dunning.events import CustomerFact
from dunning.hours import parse_hours
from dunning.plan import Verdict, plan, verdict
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
    policy,
    step,
    subscription,
    voided,
    warning,
)

Facts = list[CustomerFact]
FIRST = "payment_failed:in_1:1"


def excuse(known: Account, now: float, key: str, *done: Effect) -> str | None:
    return verdict(known, history(*done), POLICY, day(now), key).excuse


def test_what_is_still_due_goes_ahead() -> None:
    """Its own row in the history is not held against it."""
    assert excuse(account(failures(0)), 1, FIRST, notice_sent(1, status="sending")) is None


@pytest.mark.parametrize("ending", [paid(1), voided(1), subscription(1, "canceled")])
def test_class_2_a_closed_case_wants_none_of_it(ending: CustomerFact) -> None:
    """The customer paid between decision and dispatch."""
    known = account(failures(0), ending)
    for decided in (notice_sent(0, status="sending"), warning(11, status="sending")):
        assert excuse(known, 1, decided.key, decided) == "the case no longer calls for it"


def test_a_later_mail_takes_over() -> None:
    """One that waited for the mail server for three days is out of date."""
    decided = notice_sent(1, status="sending")
    assert excuse(account(failures(0)), 4, decided.key, decided) == "a later mail tells it"


def test_class_4_a_mail_about_another_invoice_has_told_it() -> None:
    """It was accepted while this one waited, and names this invoice too."""
    known = account(failures(0), failures(1, ref="in_2", of="sub_2", code="do_not_honor"))
    waiting = notice_sent(1, status="sending")
    told = notice_sent(1.1, ref="in_2")
    assert excuse(known, 1.2, waiting.key, waiting, told) == "a mail since then has told it"


def test_a_new_card_puts_a_notice_off() -> None:
    """The customer has done what it asks for: it waits for three days, and is neither sent nor lost."""
    decided = notice_sent(4, 2, status="sending")
    known = account(failures(0), method(4.1))
    found = verdict(known, history(notice_sent(1), decided), POLICY, day(4.2), decided.key)
    assert found == Verdict(put_off=day(7.1))


def test_who_sleeps_by_now_is_not_woken_by_a_repeated_attempt() -> None:
    """It was decided in the evening, and the mail server took it only after eight."""
    daytime = policy(mail_hours=parse_hours("daily 09:00-20:00"))
    known = account(failures(0), policy=daytime)
    decided = notice_sent(1.4, status="sending")
    night = verdict(known, history(decided), daytime, day(1.5), decided.key)
    assert night == Verdict(asleep_until=day(2))


def test_a_late_notice_gives_way_to_the_warnings() -> None:
    """It was decided before the last three days and is delivered in them."""
    decided = notice_sent(10.9, 3, status="sending")
    assert excuse(account(failures(0)), 11, decided.key, decided) == "the final warnings tell it"


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_class_12_a_warning_that_comes_before_the_night_goes_ahead(hour: int) -> None:
    """Whatever the hour at which it was wanted: what is decided is sent, or nobody could lose access ever."""
    daytime = policy(mail_hours=parse_hours("mon-fri 09:00-17:00"))
    known = account(failures(hour / 24), policy=daytime)
    first = step(planned(known, 9, policy=daytime), warning(11).key)
    assert first is not None
    decided = Effect(first.key, first.kind, first.name, first.case, "sending", first.due_at)
    assert verdict(known, history(decided), daytime, first.due_at, first.key) == Verdict()


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
    found: Plan = planned(known, 9, notice_sent(8, 3), notice_sent(8, 2, ref="in_2"))
    assert (found.next_due("in_1"), found.next_due("in_2")) == (day(11), day(10))
    assert found.next_due("in_3") is None


def test_a_plan_without_cases_is_empty() -> None:
    """Somebody who never failed."""
    assert plan(account(subscription(0, "active")), {}, POLICY, day(0)).steps == ()
