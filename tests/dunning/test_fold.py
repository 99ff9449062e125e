"""The same facts in any order, any number of times, give one account."""

from __future__ import annotations

from datetime import datetime
from itertools import permutations

import pytest

from dunning.account import Account
from dunning.events import CustomerFact, InvoiceSeen
from dunning.fold import empty, fold, touched
from tests.dunning.builders import (
    INVOICE,
    SUBSCRIPTION,
    charge,
    day,
    failed,
    invoice,
    ledger,
    mirror,
    paid,
    subscription,
    voided,
    written_off,
)


def in_every_order(*facts: CustomerFact) -> Account:
    """The one account that all orders of the facts give, each fact told twice."""
    accounts = [mirror(*order, *order) for order in permutations(facts)]
    assert all(each == accounts[0] for each in accounts)
    return accounts[0]


@pytest.mark.parametrize(
    ("settled", "latch"), [(paid(3), "paid_at"), (voided(3), "voided_at"), (written_off(3), "written_off_at")]
)
def test_what_settles_an_invoice_is_never_unseen(settled: InvoiceSeen, latch: str) -> None:
    """A stale open invoice that arrives last does not unpay it (class 5)."""
    known = in_every_order(settled, invoice(1), invoice(5)).invoices[INVOICE]
    assert getattr(known, latch) == day(3)
    assert known.settled


def test_a_latch_keeps_the_earliest_time() -> None:
    """Two observations that give different times of payment agree on the earlier one."""
    assert in_every_order(paid(3), paid(4)).invoices[INVOICE].paid_at == day(3)


def test_an_open_invoice_is_not_settled() -> None:
    """Failing settles nothing."""
    assert not in_every_order(invoice(), failed()).invoices[INVOICE].settled


def test_class_14_the_attempt_count_is_the_highest_seen() -> None:
    """An old event after a new one takes no attempt back, and a repeated one adds none."""
    known = in_every_order(
        failed(0, 1), failed(3, 2), invoice(2, attempt_count=1), invoice(4, attempt_count=3)
    )
    assert known.invoices[INVOICE].attempt_count == 3


def test_what_was_due_is_the_most_that_was_ever_to_be_paid() -> None:
    """Part payments included; credits and a void do not make it less, and a draft is not due yet."""
    part = {"amount_paid": 400, "amount_remaining": 1500}
    known = in_every_order(invoice(0, status="draft", amount_remaining=2500), invoice(1, **part), voided(2))
    assert known.invoices[INVOICE].amount_due == 1900


def test_what_was_given_back_is_the_most_that_was_seen() -> None:
    """A reading that knows of less is older, or of a refund that failed."""
    known = in_every_order(paid(1), paid(2, amount_refunded=500), paid(3, amount_refunded=200))
    assert known.invoices[INVOICE].amount_refunded == 500


def test_failures_keep_their_first_and_last_moment() -> None:
    """Grace starts at the first failure, whichever arrives first."""
    known = in_every_order(failed(3, 2), failed(0, 1), failed(1, 1)).invoices[INVOICE]
    assert (known.failed_at, known.last_failed_at) == (day(0), day(3))


def test_a_wish_for_confirmation_is_remembered() -> None:
    """`payment_action_required` and `payment_failed` of one charge are one failure (class 4)."""
    known = in_every_order(failed(), failed(action_required=True)).invoices[INVOICE]
    assert (known.action_required, known.attempt_count) == (True, 1)


def test_money_for_an_invoice_is_money_for_its_subscription() -> None:
    """The latest payment is remembered with the subscription."""
    known = in_every_order(paid(3), paid(1, ref="in_0"), subscription(2))
    assert known.subscriptions[SUBSCRIPTION].last_paid_at == day(3)


@pytest.mark.parametrize("seen", [paid(3, amount=0), invoice(3, amount_paid=500), voided(3), written_off(3)])
def test_class_17_no_money_no_payment(seen: InvoiceSeen) -> None:
    """A $0 invoice, a part of the sum, a void and a write-off are not payments."""
    assert in_every_order(seen, subscription(3)).subscriptions[SUBSCRIPTION].last_paid_at is None


def test_the_money_paid_is_the_most_that_was_seen() -> None:
    """On a test clock that stands, the paid invoice may tie with one read back a moment before."""
    known = in_every_order(paid(3), invoice(3, read_at=day(3))).invoices[INVOICE]
    assert (known.paid_at, known.amount_paid) == (day(3), 1900)


@pytest.mark.parametrize(
    ("status", "paused_for", "stops"),
    [
        ("unpaid", None, True),
        ("paused", "first_payment_failure", True),
        ("paused", "final_payment_failure", True),
        ("paused", "pause_requested", False),
        ("paused", None, False),
        ("past_due", None, False),
        ("canceled", None, False),
    ],
)
def test_a_stop_for_nonpayment_is_remembered(status: str, paused_for: str | None, stops: bool) -> None:
    """Even when the subscription is active again by the time it is looked at."""
    known = in_every_order(subscription(2, status, paused_for=paused_for), subscription(4, "active"))
    assert known.subscriptions[SUBSCRIPTION].nonpayment_at == (day(2) if stops else None)


@pytest.mark.parametrize(
    ("payment", "owes"), [(None, True), (day(1), True), (day(2), False), (day(3), False)]
)
def test_only_a_payment_since_the_stop_lifts_it(payment: datetime | None, owes: bool) -> None:
    """Older money does not pay for a later stop."""
    money = [invoice(status="paid", paid_at=payment, amount_paid=1900)] if payment else []
    known = in_every_order(subscription(2, "unpaid"), subscription(4, "active"), *money)
    assert known.subscriptions[SUBSCRIPTION].owes_since_stop is owes


def test_the_newest_reading_of_the_ledger_is_kept() -> None:
    """A reason learned at a later attempt replaces an earlier one, in whatever order they come."""
    known = in_every_order(
        ledger(1, code="card_declined", decline_code="do_not_honor"),
        ledger(2, code="expired_card"),
        ledger(1, no_method=True),
    ).invoices[INVOICE]
    assert (known.ledger_attempt, known.reason_code, known.reason_decline_code) == (2, "expired_card", None)
    assert not known.no_method


def test_a_reason_learned_later_improves_what_is_known() -> None:
    """First nothing could be asked, then the reason is there (class 9)."""
    known = in_every_order(ledger(1), ledger(1, code="card_declined", decline_code="lost_card"))
    assert known.invoices[INVOICE].reason_decline_code == "lost_card"


def test_two_reports_of_a_charge_complete_each_other() -> None:
    """What either report knows is kept, and the earlier time."""
    told = in_every_order(
        charge(1, None, charge="ch_1", card_brand="visa"),
        charge(2, "do_not_honor", charge="ch_1", card_last4="4242"),
    )
    known = told.charges["ch_1"]
    assert (known.at, known.decline_code) == (day(1), "do_not_honor")
    assert (known.card_brand, known.card_last4) == ("visa", "4242")


def test_the_ledger_of_an_invoice_is_in_order() -> None:
    """Charges of other invoices are not among them."""
    known = in_every_order(charge(3), charge(1), charge(2, ref="in_2"))
    assert [each.at for each in known.charges_of(INVOICE)] == [day(1), day(3)]


def test_facts_of_somebody_else_are_refused() -> None:
    """A mixed-up customer is a fault of ours, found at once."""
    with pytest.raises(ValueError, match="cus_2"):
        fold(empty("stripe", "cus_2"), invoice())


def test_facts_are_grouped_by_customer_in_their_order() -> None:
    """Each account gets its own facts, as they came."""
    assert touched([invoice(1), failed(2)]) == {"cus_1": [invoice(1), failed(2)]}
