"""What becomes of those who do not pay, pay late, cancel, pause, or never began."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.stripe import Card, RetryPolicy, custom_schedule
from sandbox.stripe.policy import DAY, SubscriptionEnd
from tests.sandbox.stripe_account import FIRST_ATTEMPT, JANUARY, subscribed


@pytest.mark.parametrize(
    ("at_end", "status", "last_event"),
    [
        ("cancel", "canceled", "customer.subscription.deleted"),
        ("unpaid", "unpaid", "customer.subscription.updated"),
        ("pause", "paused", "customer.subscription.paused"),
        ("past_due", "past_due", None),
    ],
)
def test_the_end_of_the_schedule(at_end: SubscriptionEnd, status: str, last_event: str | None) -> None:
    """The subscription ends as its policy says; the invoice stays open and payable."""
    account = subscribed("ok", "do_not_honor", policy=custom_schedule(1, 1, at_end=at_end))
    account.advance(FIRST_ATTEMPT + timedelta(days=2) - timedelta(minutes=1))
    assert account.status == "past_due"
    seen = len(account.engine.events())
    account.advance(FIRST_ATTEMPT + timedelta(days=2))

    types = [event.type for event in account.engine.events()[seen:]]
    assert account.status == status
    assert (account.invoice.status, account.invoice.next_payment_attempt) == ("open", None)
    assert last_event is None or last_event in types
    if at_end == "cancel":
        assert not account.invoice.auto_advance
        assert account.engine.refresh(account.subscription).cancellation_reason == "payment_failed"
    if at_end == "pause":
        assert account.engine.refresh(account.subscription).paused_for == "final_payment_failure"


def test_unpaid_writes_drafts_and_only_the_newest_invoice_revives() -> None:
    """While unpaid, renewals stay drafts; paying the old invoice is not enough."""
    account = subscribed("ok", "do_not_honor", policy=custom_schedule(1, at_end="unpaid"))
    account.advance(datetime(2026, 3, 20, tzinfo=UTC))
    _, old, newest = account.engine.invoices(account.subscription)
    assert (newest.status, newest.auto_advance) == ("draft", False)

    account.engine.pay_invoice(old, card=Card(last4="1111"))
    assert account.status == "unpaid"
    account.engine.pay_invoice(newest, card=Card(last4="1111"))
    assert account.status == "active"


def test_left_past_due_it_goes_on_being_charged() -> None:
    """The next period's invoice is charged, and paying that one revives the subscription."""
    account = subscribed(
        "ok", "do_not_honor", "do_not_honor", "ok", policy=custom_schedule(1, at_end="past_due")
    )
    account.advance(datetime(2026, 3, 12, tzinfo=UTC))
    _, failed, following = account.engine.invoices(account.subscription)
    assert (failed.status, following.status) == ("open", "paid")
    assert account.status == "active"


def test_a_paused_subscription_resumes_when_its_invoice_is_paid_late() -> None:
    """No renewal while paused; after the payment a new period begins at once."""
    account = subscribed("ok", "do_not_honor", policy=custom_schedule(1, at_end="pause"))
    account.advance(datetime(2026, 4, 1, tzinfo=UTC))
    assert len(account.engine.invoices(account.subscription)) == 2

    account.engine.pay_invoice(account.invoice, card=Card(last4="1111"))
    account.engine.save_card(account.customer, Card(last4="1111"))
    assert account.status == "active"
    assert account.engine.events("customer.subscription.resumed")
    account.advance(datetime(2026, 4, 2, tzinfo=UTC))
    assert account.invoice.billing_reason == "subscription_cycle"
    assert account.invoice.status == "paid"


def test_resume_by_hand_bills_a_new_period() -> None:
    """It starts over with a new period; unpaid for 23 hours, the invoice is voided and the pause goes on."""
    account = subscribed("ok", "do_not_honor")
    account.engine.pause(account.subscription)
    account.engine.resume(account.subscription)
    assert account.status == "paused"
    account.advance(JANUARY + timedelta(hours=24))
    assert (account.status, account.invoice.status) == ("paused", "void")

    account.engine.save_card(account.customer, Card())
    account.engine.resume(account.subscription)
    assert account.status == "active"
    assert account.engine.refresh(account.subscription).anchor == account.invoice.created


def test_pause_on_the_first_failure() -> None:
    """A policy may pause at once; the reason says so."""
    policy = RetryPolicy(delays=(DAY,), pause_on_first_failure=True)
    account = subscribed("ok", "insufficient_funds", policy=policy)
    account.advance(FIRST_ATTEMPT)
    assert account.engine.refresh(account.subscription).paused_for == "first_payment_failure"


def test_a_write_off_makes_past_due_active_and_is_no_payment() -> None:
    """The subscription is in good standing again although nobody paid; the customer stays delinquent."""
    account = subscribed("ok", "do_not_honor")
    account.advance(FIRST_ATTEMPT)
    account.engine.write_off(account.invoice)
    assert account.status == "active"
    assert account.engine.refresh(account.customer).delinquent
    assert len(account.engine.events("invoice.paid")) == 1


def test_a_void_falls_back_to_the_invoice_before() -> None:
    """With the failed invoice voided, the paid one before it decides; its intent is canceled."""
    account = subscribed("ok", "do_not_honor")
    account.advance(FIRST_ATTEMPT)
    account.engine.void_invoice(account.invoice)
    assert account.status == "active"
    assert account.engine.payment_intent(account.invoice).status == "canceled"


def test_a_late_payment_does_not_bring_a_canceled_subscription_back() -> None:
    """Canceled is final; the open invoice can still be paid."""
    account = subscribed("ok", "do_not_honor", policy=custom_schedule(1))
    account.advance(FIRST_ATTEMPT + timedelta(days=5))
    assert account.engine.pay_invoice(account.invoice, card=Card()).succeeded
    assert (account.invoice.status, account.status) == ("paid", "canceled")


def test_cancel_at_period_end_keeps_to_the_end() -> None:
    """The subscription is active until its period is over, then deleted without another invoice."""
    account = subscribed("ok")
    planned = account.engine.cancel(account.subscription, at_period_end=True)
    assert (planned.status, planned.cancel_at) == ("active", planned.current_period_end)
    account.advance(datetime(2026, 3, 1, tzinfo=UTC))

    ended = account.engine.refresh(account.subscription)
    assert (ended.status, ended.cancellation_reason) == ("canceled", "cancellation_requested")
    assert ended.ended_at == planned.current_period_end
    assert len(account.engine.invoices(account.subscription)) == 1


def test_a_first_payment_that_fails_never_becomes_a_subscription() -> None:
    """Incomplete for 23 hours, then expired with its invoice voided; no retries."""
    account = subscribed("insufficient_funds")
    assert account.status == "incomplete"
    assert account.invoice.billing_reason == "subscription_create"
    assert account.invoice.next_payment_attempt is None
    account.advance(JANUARY + timedelta(hours=23))
    assert (account.status, account.invoice.status) == ("incomplete_expired", "void")


def test_a_trial_is_free_and_then_billed() -> None:
    """The trial's invoice is zero and paid; the first real one comes at its end."""
    account = subscribed("ok", trial_days=14)
    assert (account.status, account.invoice.total, account.invoice.status) == ("trialing", 0, "paid")
    account.advance(JANUARY + timedelta(days=15))
    assert (account.status, account.invoice.total) == ("active", 2000)


def test_collection_on_hold() -> None:
    """With collection paused, renewals go on and each invoice is kept, voided or written off as wished."""
    for behaviour, status in (
        ("keep_as_draft", "draft"),
        ("void", "void"),
        ("mark_uncollectible", "uncollectible"),
    ):
        account = subscribed("ok")
        held = replace(account.engine.refresh(account.subscription), pause_collection=behaviour)
        account.engine.ledger.put(held)
        account.advance(FIRST_ATTEMPT)
        assert (account.invoice.status, account.status) == (status, "active")
        assert len(account.engine.charges(account.customer)) == 1


def test_a_deleted_customer_leaves_no_subscription() -> None:
    """Deleting ends every subscription first; the event shows the customer whole."""
    account = subscribed("ok")
    account.engine.delete_customer(account.customer)
    assert account.status == "canceled"
    *_, ended, deleted = account.engine.events()
    assert [ended.type, deleted.type] == ["customer.subscription.deleted", "customer.deleted"]


def test_one_fact_under_two_ids() -> None:
    """A repeated event differs from the first one by its id only."""
    account = subscribed("insufficient_funds")
    again = account.engine.repeat_event(account.failures[0])
    assert again.id != account.failures[0].id
    assert (again.type, again.subject) == ("invoice.payment_failed", account.failures[0].subject)
