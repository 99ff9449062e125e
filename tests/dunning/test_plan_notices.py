"""Which failure is told to the customer, when, and when it is better to be silent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dunning.events import CustomerFact
from dunning.policy import Policy
from dunning.steps import Effect, Kind, Step
from tests.dunning.builders import (
    SECOND,
    account,
    charge,
    day,
    effect,
    failed,
    failures,
    invoice,
    ledger,
    method,
    notice_sent,
    planned,
    step,
    subscription,
    warning,
    why,
)

Facts = list[CustomerFact]
FIRST, SECOND_NOTICE = "payment_failed:in_1:attempt:1", "payment_failed:in_1:attempt:2"


def test_the_first_failure_is_told_at_once() -> None:
    """Most declines want the customer to act."""
    found = planned(account(failures(0)), 0)
    assert step(found, FIRST) == Step(Kind.MAIL, FIRST, "payment_failed", "in_1", day(0), "charge 1 failed")
    assert [each.key for each in found.due(day(0))] == [FIRST]


def test_class_1_a_notice_is_sent_once_per_charge() -> None:
    """Whatever became of it, and however often the failure is told."""
    for status in ("pending", "sending", "sent", "suppressed", "failed", "unknown"):
        known = account(failures(0), failures(0))
        assert step(planned(known, 5, notice_sent(0, status=status)), FIRST) is None


def test_class_4_two_events_of_one_failure_are_one_notice() -> None:
    """`payment_failed` and `payment_action_required` name the same charge."""
    found = planned(account(failures(0), failed(action_required=True)), 0)
    assert [each.key for each in found.due(day(0))] == [FIRST]


def test_class_10_a_retry_that_was_not_executed_is_not_told() -> None:
    """To say that it was tried again would be a lie."""
    known = account(failures(0, code="stolen_card"), failed(3, 2), failed(5, 3), ledger(3))
    found = planned(known, 6, notice_sent(0))
    assert not [each for each in found.steps if each.name == "payment_failed"]


def test_the_newest_failure_is_told_instead_of_older_ones() -> None:
    """After an outage one mail, not three."""
    found = planned(account(failures(0, 1, 3)), 3)
    assert [each.key for each in found.due(day(3)) if each.kind is Kind.MAIL] == [
        "payment_failed:in_1:attempt:3"
    ]
    for superseded in (FIRST, SECOND_NOTICE):
        assert why(found, superseded) == "a newer failure of the same invoice is told instead"


@pytest.mark.parametrize("number", [1, 2])
def test_a_processing_error_is_silent_at_first(number: int) -> None:
    """The retry usually works; if it does not, it is told at once."""
    days = [0.0, 1.0][:number]
    found = step(
        planned(account(failures(*days, code="processing_error")), 1), f"payment_failed:in_1:attempt:{number}"
    )
    assert found is not None
    assert found.due_at == (day(2) if number == 1 else day(1))


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_the_silence_ends_to_the_second(seconds: int) -> None:
    """Two days, not a second less."""
    now = day(2) + seconds * SECOND
    due = planned(account(failures(0, code="processing_error")), now).due(now)
    assert bool(due) is (seconds >= 0)


def test_the_silence_starts_again_with_nothing() -> None:
    """A try of the customer's own on the way does not prolong it."""
    known = account(failures(0, code="processing_error"), charge(1, "processing_error"), failed(1, 1))
    found = step(planned(known, 1.5), FIRST)
    assert found is not None
    assert found.due_at == day(2)


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_at_most_one_mail_in_48_hours(seconds: int) -> None:
    """The second charge failed a day after the first notice."""
    now = day(2) + seconds * SECOND
    found = planned(account(failures(0, 1)), now, notice_sent(0))
    second = step(found, SECOND_NOTICE)
    assert second is not None
    assert second.due_at == day(2)
    assert (SECOND_NOTICE in [each.key for each in found.due(now)]) is (seconds >= 0)
    assert "at most one mail in 48 h" in second.reason


def test_the_gap_counts_from_the_mail_not_from_its_decision() -> None:
    """A mail that the server took half a day later is read half a day later."""
    late = Effect(FIRST, Kind.MAIL, "payment_failed", "in_1", "sent", day(0), day(0.5))
    found = step(planned(account(failures(0, 1)), 1, late), SECOND_NOTICE)
    assert found is not None
    assert found.due_at == day(2.5)


@pytest.mark.parametrize("status", ["suppressed", "failed"])
def test_a_mail_that_reached_nobody_makes_no_gap(status: str) -> None:
    """Only what may have been read counts."""
    found = step(planned(account(failures(0, 1)), 1, notice_sent(0, status=status)), SECOND_NOTICE)
    assert found is not None
    assert found.due_at == day(1)


@pytest.mark.parametrize("status", ["pending", "sending", "sent", "unknown"])
def test_a_mail_that_may_have_arrived_makes_a_gap(status: str) -> None:
    """An unanswered send may be in the inbox."""
    found = step(planned(account(failures(0, 1)), 1, notice_sent(0, status=status)), SECOND_NOTICE)
    assert found is not None
    assert found.due_at == day(2)


def test_class_20_mails_about_other_invoices_make_a_gap_too() -> None:
    """It is the person who is written to, not the invoice."""
    known = account(failures(0), failures(0.5, ref="in_2", of="sub_2"))
    found = step(planned(known, 1, notice_sent(0)), "payment_failed:in_2:attempt:1")
    assert found is not None
    assert found.due_at == day(2)


def test_an_escalation_makes_no_gap() -> None:
    """The team is not the customer."""
    told = effect("escalation:in_1:attempts", 0.9, kind=Kind.TEAM)
    found = step(planned(account(failures(0, 1)), 1, told), SECOND_NOTICE)
    assert found is not None
    assert found.due_at == day(1)


def test_the_gap_is_the_policys() -> None:
    """None at all, if somebody wants that."""
    policy = Policy(mail_gap=timedelta(0))
    found = step(planned(account(failures(0, 1), policy=policy), 1, notice_sent(0)), SECOND_NOTICE)
    assert found is not None
    assert found.due_at == day(1)


@pytest.mark.parametrize("code", ["testmode_decline", "duplicate_transaction"])
def test_our_own_fault_is_not_the_customers_mail(code: str) -> None:
    """They can do nothing about it."""
    found = planned(account(failures(0, code=code)), 1)
    assert why(found, FIRST) == "the fault is on our side, the customer can do nothing about it"


def test_withdrawn_consent_gets_one_mail() -> None:
    """Then a person takes over."""
    code = "revocation_of_authorization"
    assert step(planned(account(failures(0, code=code)), 0), FIRST)
    again = account(failures(0, code=code), charge(1, code), failed(1, 2), ledger(2))
    found = planned(again, 5, notice_sent(0))
    assert why(found, SECOND_NOTICE) == "the customer withdrew consent: one mail, then a person"


def test_class_15_who_has_cancelled_is_not_chased() -> None:
    """They are leaving; what they paid for lasts."""
    leaving = subscription(1, "past_due", cancel_at_period_end=True, period_end=day(30))
    assert why(planned(account(failures(0), leaving), 1), FIRST) == "the customer has cancelled already"


def test_class_20_a_second_unpaid_invoice_of_a_subscription_waits_for_the_first() -> None:
    """Invoices are merged: the older one is being dunned."""
    known = account(failures(0), failures(7, ref="in_2"))
    found = planned(known, 7, notice_sent(0))
    assert why(found, "payment_failed:in_2:attempt:1") == (
        "an older unpaid invoice of the same subscription is being dunned"
    )


def test_a_failing_invoice_of_another_subscription_is_told() -> None:
    """It is another matter."""
    known = account(failures(0), failures(7, ref="in_2", of="sub_2"))
    assert step(planned(known, 7, notice_sent(0)), "payment_failed:in_2:attempt:1")


def test_a_new_card_silences_the_failure_of_the_old_one() -> None:
    """The customer has done what the mail asks for."""
    found = planned(account(failures(0, 1), method(1.5)), 2, notice_sent(0))
    assert why(found, SECOND_NOTICE) == "the customer gave a new payment method after this failure"


def test_the_first_notice_is_sent_in_spite_of_a_new_card() -> None:
    """Nobody has told them yet that a payment is missing."""
    assert step(planned(account(failures(0), method(0.1)), 0.2), FIRST)


def test_class_29_the_failure_of_the_new_card_is_told() -> None:
    """Also when the customer's own try with the old card lies between: two tries and two positions."""
    own_try: Facts = [charge(1), failed(1, 1)]
    retried: Facts = [invoice(3, attempt_count=2), failed(3, 2), charge(3), ledger(2)]
    found = planned(account(failures(0), own_try, method(2), retried), 3, notice_sent(0))
    assert step(found, SECOND_NOTICE)


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_final_warnings_take_over_from_notices(seconds: int) -> None:
    """From 72 hours before the end there is only one kind of mail."""
    now = day(11) + seconds * SECOND
    known = account(failures(0, 10.9))
    found = planned(known, now, notice_sent(0))
    assert (step(found, SECOND_NOTICE) is None) is (seconds >= 0)
    if seconds >= 0:
        assert why(found, SECOND_NOTICE) == "the final warnings tell it"


def test_a_notice_is_silent_once_a_warning_was_sent() -> None:
    """Whatever the calendar says after that."""
    found = planned(account(failures(0, 11.1)), 11.2, notice_sent(0), warning(11))
    assert why(found, SECOND_NOTICE) == "the final warnings tell it"


def test_class_14_three_failures_three_notices() -> None:
    """A full ladder, each in its time."""
    known = account(failures(0, 3, 6))
    done = [notice_sent(0), notice_sent(3, 2)]
    third = step(planned(known, 6, *done), "payment_failed:in_1:attempt:3")
    assert third is not None
    assert third.due_at == day(6)


def test_a_closed_case_sends_no_notice() -> None:
    """A failure is never told next to the payment (class 2)."""
    known = account(failures(0), invoice(1, status="paid", paid_at=day(1), amount_paid=1900))
    assert step(planned(known, 1), FIRST) is None
