"""The ladder of notices: which days, when it is silent, and how mails to one person are kept apart."""

from __future__ import annotations

from datetime import datetime

import pytest

from dunning.declines import CODES, Category
from dunning.events import CustomerFact
from dunning.steps import Effect, Kind, Plan
from tests.dunning.builders import (
    SECOND,
    account,
    day,
    failed,
    failures,
    invoice,
    ledger,
    notice_sent,
    planned,
    step,
    subscription,
    warning,
    why,
)
from tests.dunning.more_builders import policy

LADDERS = [
    # category, days of its mails
    (Category.INSUFFICIENT_FUNDS, [1, 4, 8]),
    (Category.EXPIRED_CARD, [0, 3, 7]),
    (Category.AUTHENTICATION_REQUIRED, [0, 3, 7]),
    (Category.INCORRECT_DETAILS, [0, 3, 7]),
    (Category.CARD_NOT_SUPPORTED, [0, 3, 7]),
    (Category.PROCESSING_ERROR, [2, 4, 8]),
    (Category.BANK_DECLINED, [0, 3, 7]),
    (Category.NO_PAYMENT_METHOD, [0, 3, 7]),
    (Category.BANK_DEBIT_FAILED, [0, 4, 9]),
    (Category.MASKED, [0, 3, 7]),
    (Category.CONSENT_WITHDRAWN, [0]),
    (Category.UNKNOWN, [0, 3, 7]),
    (Category.FRAUD, []),
    (Category.MERCHANT_SIDE, []),
]


def key(number: int, ref: str = "in_1") -> str:
    return f"payment_failed:{ref}:{number}"


def due(found: Plan, which: str) -> datetime | None:
    planned_step = step(found, which)
    return planned_step.due_at if planned_step else None


@pytest.mark.parametrize(("category", "days"), LADDERS)
def test_the_ladder_of_a_category(category: Category, days: list[float]) -> None:
    """For every code of it, counted from the first failure."""
    for code in CODES[category]:
        found = planned(account(failures(0, code=code)), 0)
        told = [each.due_at for each in found.steps if each.name == "payment_failed"]
        assert told == [day(each) for each in days], code


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("fraudulent", "it may be fraud: a person decides, the customer hears nothing"),
        ("testmode_decline", "the fault is on our side, the customer can do nothing about it"),
    ],
)
def test_why_nothing_is_told(code: str, reason: str) -> None:
    """The timeline says it in words."""
    assert why(planned(account(failures(0, code=code)), 0), key(1)) == reason


@pytest.mark.parametrize(
    ("days", "first", "second"),
    [([0.0], 2, 4), ([0, 0.5], 2, 4), ([0, 0.5, 1], 1, 4), ([0, 0.5, 1, 1.2], 1.2, 4), ([0, 1, 3], 2, 4)],
)
def test_a_fault_that_passes_is_silent_for_two_days_or_three_charges(
    days: list[float], first: float, second: float
) -> None:
    """What has happened three times does not pass; what has lasted two days is told at any rate."""
    found = planned(account(failures(*days, code="processing_error")), 0)
    assert (due(found, key(1)), due(found, key(2))) == (day(first), day(second))


def test_class_10_attempts_that_were_only_counted_end_no_silence() -> None:
    """Three positions, one charge."""
    known = account(failures(0, code="processing_error"), failed(0.5, 2), failed(1, 3), ledger(3))
    assert due(planned(known, 1), key(1)) == day(2)


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_the_newest_rung_only(seconds: int) -> None:
    """After an outage one mail, not three."""
    found = planned(account(failures(0, code="expired_card")), day(7) + seconds * SECOND)
    late = [each.key for each in found.due(day(7) + seconds * SECOND) if each.kind is Kind.MAIL]
    assert late == [key(3 if seconds >= 0 else 2)]
    assert why(found, key(1)) == "a later mail tells it"


@pytest.mark.parametrize(
    ("mail", "second"),
    [
        (notice_sent(0), 3),
        (notice_sent(1.5), 3.5),
        (notice_sent(2, status="unknown"), 4),
        (notice_sent(2, status="failed"), 3),
        (notice_sent(2, status="suppressed"), 3),
        (notice_sent(2, ref="in_9"), 4),
        (Effect("recovered:in_9", Kind.MAIL, "payment_recovered", "in_9", "sent", day(1), day(2)), 4),
        (Effect("x", Kind.TEAM, "attempts", "in_1", "sent", day(2), day(2)), 3),
    ],
)
def test_at_most_one_mail_in_48_hours_to_one_person(mail: Effect, second: float) -> None:
    """Whatever it is about, from the moment it was accepted; calls and mails that never went do not count."""
    known = account(failures(0, code="expired_card"))
    assert due(planned(known, 2.5, mail), key(2)) == day(second)


def test_class_20_one_mail_tells_of_all_that_is_open() -> None:
    """A rung of one invoice that was due before a mail about another is told by it."""
    known = account(
        failures(0, code="expired_card"), failures(0.5, code="expired_card", ref="in_2", of="sub_2")
    )
    found = planned(known, 1, notice_sent(0.6))
    assert why(found, key(1, "in_2")) == "a mail since then has told it"
    assert due(found, key(2, "in_2")) == day(3.5)


@pytest.mark.parametrize(("sent", "told"), [(2, True), (3, False), (4, False)])
def test_six_mails_in_a_case(sent: int, told: bool) -> None:
    """Two warnings and the end have their place kept."""
    rules = policy(ladder={"expired_card": ["0d", "2d", "4d", "6d"]})
    known = account(failures(0, code="expired_card"), policy=rules)
    done = [notice_sent(2.0 * number, number + 1) for number in range(sent)]
    found = planned(known, 2.0 * sent, *done, policy=rules)
    assert (due(found, key(sent + 1)) is not None) is told
    if sent == 3:
        reason = "at most 6 mails in a case, the warnings and the end among them"
        assert why(found, key(4)) == reason


@pytest.mark.parametrize(
    ("facts", "done", "now", "reason"),
    [
        ([subscription(1, cancel_at_period_end=True)], [], 2, "the customer has cancelled already"),
        ([invoice(1, attempt_count=1, processing_since=day(1))], [], 2, "a payment is on its way"),
        ([], [warning(5)], 6, "the final warnings tell it"),
        ([], [], 11, "the final warnings tell it"),
    ],
)
def test_when_nothing_is_told(facts: list[CustomerFact], done: list[Effect], now: float, reason: str) -> None:
    """Every rung says why."""
    found = planned(account(failures(0, code="expired_card"), facts), now, *done)
    assert why(found, key(3)) == reason
