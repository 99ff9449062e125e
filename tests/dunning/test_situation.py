"""What a rule can ask about a case: attempts that were really made, the reason, whether it was replaced."""

from __future__ import annotations

import pytest

from dunning.account import Account
from dunning.case import situation
from dunning.declines import Category
from dunning.events import CustomerFact
from tests.dunning.builders import (
    account,
    charge,
    day,
    failed,
    failures,
    invoice,
    ledger,
    paid,
    subscription,
    the_case,
    the_situation,
)

Facts = list[CustomerFact]


def attempts(*facts: CustomerFact | Facts) -> int:
    return the_situation(*facts).executed_attempts


def test_every_charge_is_an_attempt() -> None:
    """Three retries that were executed are three attempts."""
    assert attempts(failures(0, 1, 3)) == 3


def test_class_10_hard_declines_are_counted_but_not_charged() -> None:
    """Stripe counts five positions in its schedule; one charge was made."""
    assert attempts(failures(0, code="stolen_card"), failed(8, 5), ledger(5)) == 1


def test_class_14_the_customers_own_tries_are_not_counted() -> None:
    """Four charges, two of them in Stripe's schedule."""
    found = the_situation(failures(0, 3), charge(1), charge(2), failed(1, 1), failed(2, 1))
    assert (found.executed_attempts, found.notice_number, len(found.charges)) == (2, 2, 4)


def test_class_14_a_delivery_is_not_an_attempt() -> None:
    """The same failure told by several events and twice each is one."""
    assert attempts(failures(0), failures(0), failed(0, 1, action_required=True)) == 1


def test_an_unread_ledger_is_believed_until_it_is_read() -> None:
    """Stripe could not be asked about the newest two positions."""
    assert attempts(failures(0), failed(3, 3)) == 3
    assert attempts(failures(0), failed(3, 3), ledger(3)) == 1


def test_nothing_was_charged_at_all() -> None:
    """A payment that waits for its owner is no executed attempt, but it is the first notice."""
    found = the_situation(invoice(), failed(action_required=True), ledger())
    assert (found.executed_attempts, found.notice_number, found.charged_again) == (0, 1, False)


def test_a_ledger_read_ahead_of_the_events_counts_nothing_twice() -> None:
    """The reading already shows the second charge while its event is still on its way."""
    assert attempts(failures(0), charge(1), ledger(2)) == 1
    assert attempts(failures(0), charge(1), ledger(2), failed(1, 2)) == 2


def test_the_current_failure_is_the_charge_of_the_current_notice() -> None:
    """Not the event that reported it, nor a position that was not executed."""
    found = the_situation(failures(0, 1), failed(4, 3), ledger(3))
    assert (found.notice_number, found.failed_at, found.last_failed_at) == (2, day(1), day(4))


def test_an_unread_failure_happened_when_its_event_says() -> None:
    """Nothing better is known yet."""
    assert the_situation(failures(0), failed(2, 2)).failed_at == day(2)


@pytest.mark.parametrize(
    ("facts", "category", "code"),
    [
        (failures(0, code="expired_card"), Category.EXPIRED_CARD, "expired_card"),
        ([*failures(0, code="expired_card"), charge(1, "lost_card")], Category.MASKED, "lost_card"),
        ([*failures(0, code=None)], Category.UNKNOWN, "card_declined"),
        ([invoice(), failed(), ledger(code="expired_card")], Category.EXPIRED_CARD, "expired_card"),
        (
            [*failures(0, code="do_not_honor"), ledger(2, code="expired_card")],
            Category.BANK_DECLINED,
            "do_not_honor",
        ),
        ([invoice(), failed(action_required=True), ledger()], Category.AUTHENTICATION_REQUIRED, None),
        (
            [*failures(0, code="insufficient_funds"), failed(action_required=True)],
            Category.INSUFFICIENT_FUNDS,
            "insufficient_funds",
        ),
        ([invoice(), failed(), ledger(no_method=True)], Category.NO_PAYMENT_METHOD, None),
        (
            [invoice(), failed(action_required=True), ledger(no_method=True)],
            Category.AUTHENTICATION_REQUIRED,
            None,
        ),
        ([*failures(0, code=None), ledger(1, no_method=True)], Category.UNKNOWN, "card_declined"),
        ([invoice(), failed()], Category.UNKNOWN, None),
        (
            [invoice(), failed(), ledger(code="insufficient_funds", method_type="sepa_debit")],
            Category.BANK_DEBIT_FAILED,
            "insufficient_funds",
        ),
    ],
)
def test_class_9_the_best_reason_known_is_used(facts: Facts, category: Category, code: str | None) -> None:
    """The newest charge, else the payment, else what the events imply, else the bank's plain no."""
    decline = the_situation(facts).decline
    assert (decline.category, decline.code) == (category, code)


def test_without_a_method_the_same_method_cannot_pay() -> None:
    """There is none."""
    assert the_situation(invoice(), failed(), ledger(no_method=True)).decline.needs_new_method


def replaced(*facts: CustomerFact | Facts) -> bool:
    known = account(failures(0), *facts)
    return situation(known, the_case(known)).replaced


def test_class_24_a_second_subscription_replaces_the_first() -> None:
    """Whoever has bought again is a paying customer."""
    assert replaced(subscription(2, "active", ref="sub_2"))
    assert replaced(subscription(2, "trialing", ref="sub_2"))


@pytest.mark.parametrize("status", ["past_due", "unpaid", "canceled", "incomplete", "paused", "unknown"])
def test_a_subscription_that_does_not_pay_replaces_nothing(status: str) -> None:
    """Only one in good standing does."""
    assert not replaced(subscription(2, status, ref="sub_2"))


def test_a_subscription_in_dunning_replaces_nothing() -> None:
    """Stripe may still call it active while its newest invoice fails."""
    assert not replaced(failures(1, ref="in_2", of="sub_2"), subscription(2, "active", ref="sub_2"))


def test_class_17_a_written_off_subscription_replaces_nothing() -> None:
    """It is active without money."""
    stopped: Facts = [subscription(1, "unpaid", ref="sub_2"), subscription(2, "active", ref="sub_2")]
    assert not replaced(stopped)
    assert replaced(stopped, paid(3, ref="in_2", subscription="sub_2"))


def test_a_subscription_does_not_replace_itself() -> None:
    """An active status of its own is not another subscription."""
    assert not replaced(subscription(2, "active"))


def test_a_case_without_its_subscription_is_still_a_situation() -> None:
    """The invoice may be known before its subscription."""
    known: Account = account(invoice(), failed())
    assert situation(known, the_case(known)).subscription.status == "unknown"
