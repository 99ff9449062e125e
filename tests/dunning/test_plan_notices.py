"""What is told of a failed payment: a ladder of days by its kind, and when it is better to be silent."""

from __future__ import annotations

import pytest

from dunning.events import CustomerFact
from dunning.steps import Kind, Step
from tests.dunning.builders import (
    SECOND,
    account,
    charge,
    day,
    failed,
    failures,
    invoice,
    ledger,
    notice_sent,
    paid,
    planned,
    step,
    subscription,
    warning,
    why,
)
from tests.dunning.schedule import told_on

Facts = list[CustomerFact]
FIRST, SECOND_MAIL, THIRD = (f"payment_failed:in_1:{number}" for number in (1, 2, 3))
NEW_REASON = "payment_failed:in_1:new_reason"


def test_class_29_the_first_failure_is_told_at_once() -> None:
    """Most declines want the customer to act."""
    found = planned(account(failures(0, code="do_not_honor")), 0)
    reason = "mail 1 of the ladder, at the first failure"
    assert step(found, FIRST) == Step(Kind.MAIL, FIRST, "payment_failed", "in_1", day(0), reason)
    assert [each.key for each in found.due(day(0))] == [FIRST]


@pytest.mark.parametrize(
    ("code", "days"),
    [
        ("insufficient_funds", (1, 4, 8)),
        ("expired_card", (0, 3, 7)),
        ("incorrect_cvc", (0, 3, 7)),
        ("authentication_required", (0, 3, 7)),
        ("do_not_honor", (0, 3, 7)),
        ("stolen_card", (0, 3, 7)),
        ("processing_error", (2, 4, 8)),
        ("account_closed", (0, 4, 9)),
        ("stop_payment_order", (0,)),
        ("fraudulent", ()),
        ("testmode_decline", ()),
        (None, (0, 3, 7)),
    ],
)
@pytest.mark.parametrize("charges", [1, 2])
def test_each_kind_of_failure_has_its_days(code: str | None, days: tuple[float, ...], charges: int) -> None:
    """Counted from the first failure, however often the card is charged meanwhile (classes 1 and 14)."""
    known = account(failures(*range(0, 2 * charges, 2), code=code))
    assert told_on(known, "payment_failed") == list(days)


def test_class_1_a_mail_is_sent_once() -> None:
    """Whatever became of it, and however often the failure is told."""
    for status in ("pending", "sending", "sent", "suppressed", "failed", "unknown"):
        known = account(failures(0), failures(0))
        assert step(planned(known, 3, notice_sent(1, status=status)), FIRST) is None


def test_class_4_two_events_of_one_failure_are_one_notice() -> None:
    """`payment_failed` and `payment_action_required` name the same charge."""
    found = planned(account(failures(0, code="do_not_honor"), failed(action_required=True)), 0)
    assert [each.key for each in found.due(day(0))] == [FIRST]


def test_class_10_a_retry_that_was_not_executed_is_not_told() -> None:
    """Positions in Stripe's schedule add no mail, and none comes sooner for them."""
    known = account(failures(0, code="stolen_card"), failed(3, 2), failed(5, 3), ledger(3))
    assert told_on(known, "payment_failed") == [0, 3, 7]


def test_the_newest_mail_is_sent_instead_of_older_ones() -> None:
    """After an outage one mail, not three."""
    found = planned(account(failures(0, 1, 3)), 8)
    assert [each.key for each in found.due(day(8)) if each.kind is Kind.MAIL] == [THIRD]
    for superseded in (FIRST, SECOND_MAIL):
        assert why(found, superseded) == "a later mail tells it"


@pytest.mark.parametrize(("days", "due"), [((0,), 2), ((0, 0.5), 2), ((0, 0.5, 1), 1)])
def test_a_processing_error_is_silent_at_first(days: tuple[float, ...], due: float) -> None:
    """The retry usually works; a passing fault that has happened three times is none."""
    found = step(planned(account(failures(*days, code="processing_error")), 1), FIRST)
    assert found is not None
    assert found.due_at == day(due)


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_the_silence_ends_to_the_second(seconds: int) -> None:
    """Two days, not a second less."""
    now = day(2) + seconds * SECOND
    due = planned(account(failures(0, code="processing_error")), now).due(now)
    assert bool(due) is (seconds >= 0)


def test_class_14_the_silence_starts_again_with_nothing() -> None:
    """A try of the customer's own on the way neither prolongs it nor ends it."""
    tries: Facts = [charge(at, "processing_error") for at in (0.2, 0.4, 0.6)]
    known = account(failures(0, code="processing_error"), tries, failed(0.6, 1))
    found = step(planned(known, 1.5), FIRST)
    assert found is not None
    assert found.due_at == day(2)


def test_a_reason_that_only_the_customer_can_mend_is_told_at_once() -> None:
    """The account was empty at first; by the next charge the card has expired."""
    later: Facts = [invoice(5, attempt_count=2), failed(5, 2), charge(5, "expired_card"), ledger(2)]
    known = account(failures(0), later)
    found = step(planned(known, 5, notice_sent(1)), NEW_REASON)
    assert found is not None
    assert found.due_at == day(5)
    told = planned(known, 5.5, notice_sent(1), notice_sent(5.2, 2))
    assert why(told, NEW_REASON) == "a mail since then has told it"
    assert step(planned(account(failures(0, code="expired_card")), 5), NEW_REASON) is None


@pytest.mark.parametrize(
    ("code", "excuse"),
    [
        ("testmode_decline", "the fault is on our side, the customer can do nothing about it"),
        ("duplicate_transaction", "the fault is on our side, the customer can do nothing about it"),
        ("fraudulent", "it may be fraud: a person decides, the customer hears nothing"),
    ],
)
def test_what_the_customer_cannot_mend_is_not_told(code: str, excuse: str) -> None:
    """And the plan says why."""
    assert why(planned(account(failures(0, code=code)), 1), FIRST) == excuse


def test_class_15_who_has_cancelled_is_not_chased() -> None:
    """They are leaving; what they paid for lasts."""
    leaving = subscription(1, "past_due", cancel_at_period_end=True, period_end=day(30))
    assert why(planned(account(failures(0), leaving), 1), FIRST) == "the customer has cancelled already"


def test_class_32_a_payment_on_its_way_is_not_called_unpaid() -> None:
    """A bank debit takes days to be decided."""
    known = account(failures(0), invoice(0.5, processing_since=day(0.5)))
    assert why(planned(known, 1), FIRST) == "a payment is on its way"


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_final_warnings_take_over_from_notices(seconds: int) -> None:
    """From 72 hours before the end there is only one kind of mail."""
    now = day(11) + seconds * SECOND
    found = planned(account(failures(0, 10.9)), now, notice_sent(1))
    assert (step(found, THIRD) is None) is (seconds >= 0)
    if seconds >= 0:
        assert why(found, THIRD) == "the final warnings tell it"


def test_a_notice_is_silent_once_a_warning_was_sent() -> None:
    """Whatever the calendar says after that."""
    found = planned(account(failures(0)), 10.9, notice_sent(1), warning(10.8))
    assert why(found, THIRD) == "the final warnings tell it"


def test_class_2_a_closed_case_sends_no_notice() -> None:
    """A failure is never told next to the payment."""
    known = account(failures(0), paid(1))
    assert step(planned(known, 1), FIRST) is None
