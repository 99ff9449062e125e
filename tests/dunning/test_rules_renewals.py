"""Before anything fails: a card that will have expired, and a year that begins again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from dunning.defaults import default_book
from dunning.events import CustomerFact
from dunning.instructions import Instruction, Verb
from dunning.plan import Verdict, plan, verdict
from dunning.policy import Policy
from dunning.steps import Effect, Kind, Plan
from tests.dunning.builders import SECOND, account, customer, day, history
from tests.dunning.builders import subscription as sub
from tests.dunning.more_builders import BERLIN, after, card, local, policy, said, wall

RENEWAL = day(31)
DATE = "2026-04-01"
EXPIRING, ANNUAL = f"card_expiring:sub_1:{DATE}:14d", f"renewal_notice:sub_1:{DATE}:14d"
MARCH = card(0, 3, 2026)


def plan_of(
    *facts: CustomerFact,
    now: float | datetime = 0,
    told: tuple[Instruction, ...] = (),
    rules: Policy | None = None,
    **fields: Any,
) -> Plan:
    values: dict[str, Any] = {"period_end": RENEWAL, "payment_method": "pm_1", "interval": "month"} | fields
    status = values.pop("status", "active")
    known = after(account(sub(0, status, **values), *facts), *told)
    at = now if isinstance(now, datetime) else day(now)
    return plan(known, {}, rules or policy(), at)


def mails(found: Plan) -> list[str]:
    return [each.key for each in found.steps]


@pytest.mark.parametrize(
    ("month", "year", "renewal", "told"),
    [
        (3, 2026, "2026-03-31 23:59:59", False),
        (3, 2026, "2026-04-01 00:00:00", True),
        (3, 2026, "2026-04-01 00:00:01", True),
        (4, 2026, "2026-04-01 09:00:00", False),
        (2, 2026, "2026-04-01 09:00:00", True),
        (12, 2026, "2026-12-31 23:59:59", False),
        (12, 2026, "2027-01-01 00:00:00", True),
        (2, 2028, "2028-02-29 12:00:00", False),
        (2, 2028, "2028-03-01 00:00:00", True),
    ],
)
def test_a_card_is_good_to_the_end_of_its_month(month: int, year: int, renewal: str, told: bool) -> None:
    """To the day and the second, in UTC."""
    at = datetime.fromisoformat(renewal + "+00:00")
    found = plan_of(card(0, month, year), period_end=at)
    assert [each.name for each in found.steps] == (["card_expiring"] if told else [])
    assert all(each.due_at == at - timedelta(days=14) for each in found.steps)


@pytest.mark.parametrize(
    ("facts", "fields", "keys"),
    [
        ([MARCH], {}, [EXPIRING]),
        ([MARCH], {"interval": "year"}, [EXPIRING]),
        ([MARCH], {"status": "trialing"}, [EXPIRING]),
        ([card(0, 3, 2030)], {}, []),
        ([card(0, 3, 2030)], {"interval": "year"}, [ANNUAL]),
        ([], {"interval": "year"}, [ANNUAL]),
        ([], {}, []),
        # The customer's default is charged where the subscription has none of its own.
        ([MARCH, customer(0, payment_method="pm_1")], {"payment_method": None}, [EXPIRING]),
        ([MARCH, customer(0, payment_method="pm_2"), card(0, 1, 2030, ref="pm_2")], {}, [EXPIRING]),
        (
            [MARCH, customer(0, payment_method="pm_2"), card(0, 1, 2030, ref="pm_2")],
            {"payment_method": "pm_2"},
            [],
        ),
        # The network has supplied the new expiry, or the card is not on file any more.
        ([MARCH, card(1, 3, 2030)], {}, []),
        ([MARCH, card(1, 3, 2026, detached=True)], {}, []),
        ([card(0, 3, 2026, type="sepa_debit")], {}, []),
        # Nothing will be charged.
        ([MARCH], {"cancel_at_period_end": True}, []),
        ([MARCH], {"status": "past_due"}, []),
        ([MARCH], {"status": "canceled"}, []),
        ([MARCH], {"status": "unpaid"}, []),
        ([MARCH], {"period_end": None}, []),
        ([MARCH], {"period_end": day(0)}, []),
    ],
)
def test_who_is_told_of_what(facts: list[CustomerFact], fields: dict[str, Any], keys: list[str]) -> None:
    """One notice a charge: the card matters more than the date."""
    assert mails(plan_of(*facts, **fields)) == keys


def test_two_notices_before_an_annual_charge() -> None:
    """By the default policies: a fortnight and three days."""
    known = account(sub(0, "active", period_end=RENEWAL, payment_method="pm_1", interval="year"), MARCH)
    found = plan(known, {}, default_book(policy()), day(0))
    assert [(each.key[-3:], each.due_at) for each in found.steps] == [("14d", day(17)), (":3d", day(28))]
    late = plan(known, {}, default_book(policy()), day(28.5))
    assert [each.key[-3:] for each in late.due(day(28.5))] == [":3d"]
    assert late.withheld[0].reason == "it is too late for this notice"


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_notice_on_the_last_day_is_none(seconds: int) -> None:
    """A day before the charge is the last moment."""
    found = plan_of(MARCH, now=day(30) + seconds * SECOND)
    assert mails(found) == ([EXPIRING] if seconds <= 0 else [])
    assert len(found.withheld) == (seconds > 0)


@pytest.mark.parametrize(
    ("renewal", "now", "due"),
    [
        ("2026-04-01 12:00", "2026-03-01 12:00", "Wed 18 Mar 11:00"),
        ("2026-04-01 03:00", "2026-03-01 12:00", "Wed 18 Mar 09:00"),
        ("2026-04-01 23:00", "2026-03-01 12:00", "Thu 19 Mar 09:00"),
        ("2026-04-01 12:00", "2026-03-25 22:00", "Thu 26 Mar 09:00"),
        ("2026-04-01 12:00", "2026-03-20 12:00", "Fri 20 Mar 12:00"),
        # The morning after would be the last day.
        ("2026-04-01 08:00", "2026-03-30 21:00", None),
    ],
)
def test_a_notice_comes_in_waking_hours(renewal: str, now: str, due: str | None) -> None:
    """Berlin's; fourteen days of hours before a charge in summer time is an hour earlier in winter."""
    rules = policy(mail_hours="daily 09:00-20:00")
    found = plan_of(MARCH, customer(0, country="DE"), now=local(now), rules=rules, period_end=local(renewal))
    assert [wall(each.due_at, BERLIN) for each in found.steps] == ([due] if due else [])


@pytest.mark.parametrize(
    ("told", "due", "reason"),
    [
        ([said(Verb.EXCLUDE, 0, case=None)], None, "Ada excluded the customer: because"),
        ([said(Verb.STOP, 0, case=None)], None, "Ada excluded the customer: because"),
        ([said(Verb.HAND_OVER, 0, case=None, to="Grace")], None, "the customer was handed over to Grace"),
        ([said(Verb.EXCLUDE, 0, case=None), said(Verb.RESUME, 1, case=None)], 17, None),
        (
            [said(Verb.RESUME, 0, case=None), said(Verb.EXCLUDE, 1, case=None)],
            None,
            "Ada excluded the customer: because",
        ),
        # A word about one case is not about the customer.
        ([said(Verb.STOP, 0)], 17, None),
        ([said(Verb.PAUSE, 0, until=20)], 17, None),
        ([said(Verb.PAUSE, 0, case=None, until=10)], 17, None),
        ([said(Verb.PAUSE, 0, case=None, until=20)], 20, None),
        ([said(Verb.PAUSE, 0, case=None, until=20), said(Verb.RESUME, 1, case=None)], 17, None),
        (
            [said(Verb.PAUSE, 0, case=None, until=30.5)],
            None,
            "paused until 2026-03-31, too late for this notice",
        ),
        ([said(Verb.ACKNOWLEDGE, 0, case=None)], 17, None),
    ],
)
def test_whoever_is_left_in_peace_hears_of_no_renewal(
    told: list[Instruction], due: float | None, reason: str | None
) -> None:
    """No mail is no mail."""
    found = plan_of(MARCH, now=2, told=tuple(told))
    assert [each.due_at for each in found.steps] == ([] if due is None else [day(due)])
    assert [each.reason for each in found.withheld] == ([reason] if reason else [])


def test_a_notice_is_sent_once_a_charge_and_anew_for_the_next() -> None:
    """Its key names the day of the charge."""
    done = Effect(EXPIRING, Kind.MAIL, "card_expiring", "sub_1", "sent", day(17), day(17))
    for end, expected in ((RENEWAL, []), (day(62), ["card_expiring:sub_1:2026-05-02:14d"])):
        known = account(sub(0, "active", period_end=end, payment_method="pm_1"), MARCH)
        assert mails(plan(known, history(done), policy(), day(18))) == expected


def test_notices_of_hours_have_names_of_their_own() -> None:
    """Two in one day are two."""
    found = plan_of(MARCH, rules=policy(card_expiry_notice=["36h", "24h"]))
    assert [each.key.rpartition(":")[2] for each in found.steps] == ["36h", "1d"]


def test_a_pause_is_noticed_between_decision_and_sending() -> None:
    """A mail that waits in the queue is not sent into it."""
    known = account(sub(0, "active", period_end=RENEWAL, payment_method="pm_1"), MARCH)
    decided = history(Effect(EXPIRING, Kind.MAIL, "card_expiring", "sub_1", "pending", day(17)))
    paused = after(known, said(Verb.PAUSE, 17, case=None, until=20))
    assert verdict(known, decided, policy(), day(17.1), EXPIRING) == Verdict()
    assert verdict(paused, decided, policy(), day(17.1), EXPIRING) != Verdict()
