"""Charging again ourselves: on which mornings, and where nobody may."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.events import CustomerFact
from dunning.rules.retries import next_payday
from dunning.steps import Kind, Plan
from tests.dunning.builders import (
    account,
    charge,
    customer,
    day,
    failed,
    failures,
    invoice,
    ledger,
    planned,
    subscription,
    why,
)
from tests.dunning.more_builders import BERLIN, NEW_YORK, TOKYO, local, policy, wall

OURS = policy(retries="worker")


def charges(found: Plan) -> list[datetime]:
    return [each.due_at for each in found.steps if each.kind is Kind.RETRY]


@pytest.mark.parametrize(
    ("after", "payday"),
    [
        # The 1st, the 15th, and every Friday.
        ("2026-03-02 10:00", "Fri 06 Mar"),
        ("2026-03-05 23:59", "Fri 06 Mar"),
        ("2026-03-06 00:00", "Fri 13 Mar"),
        ("2026-03-06 07:59", "Fri 13 Mar"),
        ("2026-03-13 08:00", "Sun 15 Mar"),
        ("2026-03-15 08:00", "Fri 20 Mar"),
        ("2026-03-27 08:00", "Wed 01 Apr"),
        ("2026-04-30 12:00", "Fri 01 May"),
        ("2026-05-01 12:00", "Fri 08 May"),
        ("2026-01-30 12:00", "Sun 01 Feb"),
        ("2028-02-28 12:00", "Wed 01 Mar"),
        ("2026-12-29 12:00", "Fri 01 Jan"),
        ("2026-08-31 12:00", "Tue 01 Sep"),
    ],
)
@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, TOKYO], ids=str)
def test_the_next_payday(after: str, payday: str, zone: ZoneInfo) -> None:
    """At eight in the morning where the customer lives, summer and winter."""
    assert wall(next_payday(local(after, zone), zone), zone) == f"{payday} 08:00"


def test_a_day_is_one_of_the_customers() -> None:
    """Thursday evening in New York is Friday in Tokyo."""
    moment = local("2026-03-05 20:00", NEW_YORK)
    assert wall(next_payday(moment, NEW_YORK), NEW_YORK) == "Fri 06 Mar 08:00"
    assert wall(next_payday(moment, TOKYO), TOKYO) == "Fri 13 Mar 08:00"


@pytest.mark.parametrize(
    ("code", "country", "expected"),
    [
        # Sunday 1 March, 10:00 in Berlin; a rung after eight waits for the next morning.
        (
            "insufficient_funds",
            "DE",
            ["Thu 05 Mar 08:00", "Fri 06 Mar 08:00", "Tue 10 Mar 08:00", "Sat 14 Mar 08:00"],
        ),
        (
            "insufficient_funds",
            "US",
            ["Wed 04 Mar 08:00", "Fri 06 Mar 08:00", "Mon 09 Mar 08:00", "Fri 13 Mar 08:00"],
        ),
        ("generic_decline", "DE", ["Wed 04 Mar 08:00", "Sat 07 Mar 08:00", "Thu 12 Mar 08:00"]),
        (
            "processing_error",
            "DE",
            ["Sun 01 Mar 11:00", "Sun 01 Mar 16:00", "Mon 02 Mar 10:00", "Wed 04 Mar 10:00"],
        ),
    ],
)
def test_the_schedule_of_a_category(code: str, country: str, expected: list[str]) -> None:
    """Mornings, but for a fault on the way to the bank."""
    zone = BERLIN if country == "DE" else NEW_YORK
    known = account(customer(0, country=country), failures(0, code=code), policy=OURS)
    assert [wall(each, zone) for each in charges(planned(known, 0, policy=OURS))] == expected


@pytest.mark.parametrize("opened", [each * 0.77 for each in range(40)])
@pytest.mark.parametrize("country", ["DE", "US"])
def test_a_late_payday_swallows_no_other_charge(opened: float, country: str) -> None:
    """Whatever day it begins: on the third and the eighth day, on a payday, and on the twelfth."""
    known = account(customer(opened, country=country), failures(opened), policy=OURS)
    rungs = charges(planned(known, day(opened), policy=OURS))
    assert len({each.date() for each in rungs}) == 4
    for number in (3, 8, 12):
        late = [each - day(opened + number) for each in rungs]
        assert any(timedelta(0) <= each <= timedelta(days=1) for each in late), number


def test_a_payday_on_the_morning_of_another_charge_is_charged_once_and_again_two_days_later() -> None:
    """Wednesday: the third day is Sunday morning, the next payday Friday, the eighth day Friday as well."""
    known = account(customer(3.04, country="DE"), failures(3.04), policy=OURS)
    assert [wall(each) for each in charges(planned(known, day(3.04), policy=OURS))] == [
        "Sun 08 Mar 08:00",
        "Fri 13 Mar 08:00",
        "Sun 15 Mar 08:00",
        "Tue 17 Mar 08:00",
    ]


HARD = "the network forbids to charge this card again"
SAME = "the same payment method cannot pay this"
NONE = "charging again cannot mend this kind of failure"
DEBIT = [*failures(0), charge(0, "r03", method_type="us_bank_account")]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (failures(0, code="transaction_not_allowed"), HARD),
        (failures(0, code="do_not_try_again"), SAME),
        (failures(0, code="stolen_card"), NONE),
        (failures(0, code="expired_card"), NONE),
        (failures(0, code="authentication_required"), NONE),
        (failures(0, code="fraudulent"), NONE),
        (failures(0, code="revocation_of_authorization"), NONE),
        (DEBIT, SAME),
        (
            [*failures(0), invoice(1, attempt_count=1, next_attempt_at=day(3))],
            "the provider has planned a charge of its own",
        ),
        ([*failures(0), failed(0.5, 2), ledger(2)], "the provider charges this invoice again by itself"),
        ([*failures(0), invoice(1, attempt_count=1, processing_since=day(1))], "a payment is on its way"),
        (
            [*failures(0), subscription(1, cancel_at_period_end=True)],
            "the customer has cancelled: access lasts to the end of the period",
        ),
        (
            [*failures(0), subscription(1, "active", ref="sub_2")],
            "the customer has another subscription that entitles them",
        ),
    ],
)
def test_classes_14_and_34_where_nobody_charges(facts: list[CustomerFact], reason: str) -> None:
    """Never twice at one invoice, never what the network forbids, never whom we leave in peace."""
    found = planned(account(facts, policy=OURS), 1, policy=OURS)
    assert charges(found) == []
    assert why(found, "retry:in_1:1") == reason


def test_retries_are_the_providers_unless_the_policy_says_otherwise() -> None:
    """Nothing is planned and nothing withheld."""
    found = planned(account(failures(0)), 0)
    considered = [each.key for each in found.steps] + [each.key for each in found.withheld]
    assert not [key for key in considered if key.startswith("retry:")]


def made(*days: float) -> list[CustomerFact]:
    """Charges at the card for another invoice."""
    return [charge(at, ref="in_9") for at in days]


@pytest.mark.parametrize(
    ("facts", "first"),
    [
        ([], 3),
        # Two days between charges when it is about money, counted over all invoices.
        (made(2.5), 4.5),
        (made(1), 3),
        # Eight in a fortnight.
        (made(-7, -6, -5, -4, -3, -2, -1), 7),
        (made(-10.5, -6, -5, -4, -3, -2, -1), 3.5),
        # Fifteen in a month.
        ([*made(*(-25 + each for each in range(13))), *made(-9)], 5),
    ],
)
def test_ceilings_put_a_charge_off(facts: list[CustomerFact], first: float) -> None:
    """To the first moment at which the network has forgotten enough."""
    rules = policy(OURS, retry={"insufficient_funds": ["3d"]}, grace="30d", time_zone="Etc/GMT+1")
    known = account(failures(0), facts, policy=rules)
    assert charges(planned(known, 2.6, policy=rules)) == [day(first)]


def test_a_charge_that_would_come_after_the_end_is_not_made() -> None:
    """Nobody is charged for what they have lost."""
    rules = policy(OURS, retry={"insufficient_funds": ["13d", "14d"]})
    found = planned(account(failures(0), policy=rules), 0, policy=rules)
    assert len(charges(found)) == 1
    assert why(found, "retry:in_1:2") == "access ends before the card may be charged again"


def test_after_an_outage_the_newest_rung_is_charged_once() -> None:
    """Two charges in one hour are one charge and a complaint."""
    found = planned(account(failures(0), policy=OURS), 9.5, policy=OURS)
    assert [each.key for each in found.due(day(9.5)) if each.kind is Kind.RETRY] == ["retry:in_1:3"]
    assert why(found, "retry:in_1:1") == "a later attempt takes its place"
