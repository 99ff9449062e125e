"""Renewals and retries: when a card is charged, what counts, and which card it is."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.stripe import BillingEngine, Card, custom_schedule, smart_retries
from sandbox.stripe.declines import HARD_DECLINES
from sandbox.stripe.policy import DAY
from sandbox.stripe.records import Invoice
from tests.sandbox.stripe_account import FIRST_ATTEMPT, JANUARY, subscribed


def test_a_subscription_of_the_31st_renews_on_the_last_day_of_short_months() -> None:
    """Short months do not pull later renewals forward."""
    account = subscribed("ok", start=datetime(2026, 1, 31, 9, tzinfo=UTC))
    account.advance(datetime(2026, 6, 15, tzinfo=UTC))

    drafted = [
        datetime.fromtimestamp(each.created, UTC) for each in account.engine.invoices(account.subscription)
    ]
    assert [(day.month, day.day) for day in drafted] == [(1, 31), (2, 28), (3, 31), (4, 30), (5, 31)]
    assert account.status == "active"
    assert len(account.engine.charges(account.customer)) == 5


def test_a_renewal_is_drafted_then_finalised_and_charged_an_hour_later() -> None:
    """The draft stands untried for an hour; everything then happens in Stripe's order."""
    account = subscribed("ok")
    account.advance(datetime(2026, 2, 10, 9, 30, tzinfo=UTC))
    assert (account.invoice.status, account.invoice.attempted) == ("draft", False)

    seen = len(account.engine.events())
    account.advance(datetime(2026, 2, 11, tzinfo=UTC))
    assert [event.type for event in account.engine.events()[seen:]] == [
        "test_helpers.test_clock.advancing",
        "payment_intent.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "test_helpers.test_clock.ready",
    ]
    charged_at = account.engine.charges(account.customer)[-1].created
    assert charged_at == int(FIRST_ATTEMPT.timestamp())


def test_a_failed_renewal_tells_its_story_in_order() -> None:
    """A first failure is charge, intent, invoice, customer, then subscription."""
    account = subscribed("ok", "insufficient_funds")
    account.advance(FIRST_ATTEMPT - timedelta(minutes=1))
    seen = len(account.engine.events())
    account.advance(FIRST_ATTEMPT)

    assert [event.type for event in account.engine.events()[seen + 1 : -1]] == [
        "payment_intent.created",
        "invoice.finalized",
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.updated",
        "customer.updated",
        "invoice.payment_failed",
        "customer.subscription.updated",
    ]
    assert account.status == "past_due"
    assert account.engine.refresh(account.customer).delinquent


def test_a_custom_schedule_counts_days_from_the_previous_attempt() -> None:
    """Retries come 3, 8 and 15 days after the first failure, each counted and each a new charge."""
    account = subscribed("ok", "insufficient_funds", "insufficient_funds", "do_not_honor", "ok")
    account.advance(datetime(2026, 2, 26, tzinfo=UTC))

    days = [(each.created - account.failures[0].created) / DAY for each in account.failures]
    assert days == [0, 3, 8]
    counts = [each.subject.attempt_count for each in account.failures if isinstance(each.subject, Invoice)]
    assert counts == [1, 2, 3]
    assert account.status == "active"
    assert (account.invoice.status, account.invoice.attempt_count) == ("paid", 4)
    assert not account.engine.refresh(account.customer).delinquent


def test_smart_retries_try_eight_times_in_two_weeks() -> None:
    """Nine attempts in all, the last one fourteen days after the first."""
    account = subscribed("ok", "do_not_honor", policy=smart_retries())
    account.advance(datetime(2026, 3, 1, tzinfo=UTC))
    assert len(account.failures) == 9
    assert account.failures[-1].created - account.failures[0].created == 14 * DAY
    assert account.status == "canceled"


@pytest.mark.parametrize("reason", sorted(HARD_DECLINES))
def test_a_hard_decline_is_counted_but_not_charged_again(reason: str) -> None:
    """The schedule goes on and counts; no second charge is made with the same card."""
    account = subscribed("ok", reason)
    account.advance(FIRST_ATTEMPT + timedelta(days=9))

    renewals = [
        each for each in account.engine.charges(account.customer) if each.invoice == account.invoice.id
    ]
    assert account.invoice.attempt_count == 3
    assert len(account.failures) == 3
    assert [each.id for each in renewals] == [account.invoice.charge]


def test_a_new_card_is_charged_at_the_next_retry() -> None:
    """Saving a card retries nothing by itself, but the schedule then uses it."""
    account = subscribed("ok", "stolen_card")
    account.advance(FIRST_ATTEMPT + timedelta(days=1))
    account.engine.save_card(account.customer, Card("mastercard", "4444"))
    assert account.status == "past_due"

    account.advance(FIRST_ATTEMPT + timedelta(days=4))
    assert account.status == "active"
    assert account.engine.charges(account.customer)[-1].payment_method.card.last4 == "4444"


def test_the_subscriptions_own_card_goes_before_the_customers() -> None:
    """A new customer default does not help a subscription that has a default of its own."""
    engine = BillingEngine(policy=custom_schedule(3))
    clock = engine.create_clock(JANUARY)
    customer = engine.create_customer("someone@example.com", clock=clock)
    own = engine.save_card(customer, Card(outcomes=["ok", "expired_card"]))
    subscription = engine.create_subscription(customer, engine.create_price(), payment_method=own)
    engine.advance(clock, FIRST_ATTEMPT)
    engine.save_card(customer, Card(last4="1111"))
    engine.advance(engine.refresh(clock), FIRST_ATTEMPT + timedelta(days=3))
    assert engine.refresh(subscription).status == "canceled"


def test_a_replaced_card_keeps_its_id() -> None:
    """The network's update rescues an expired card without anybody doing anything."""
    account = subscribed("ok", "expired_card")
    account.advance(FIRST_ATTEMPT)
    method = account.engine.charges(account.customer)[-1].payment_method
    account.engine.network_updates_card(method, Card(exp=(1, 2031)))
    account.advance(FIRST_ATTEMPT + timedelta(days=3))
    assert account.status == "active"
    (updated,) = account.engine.events("payment_method.automatically_updated")
    assert updated.subject.id == method.id


def test_automations_tell_the_next_attempt_later() -> None:
    """`next_payment_attempt` is null in the failure and arrives in the following update."""
    account = subscribed("ok", "do_not_honor", policy=custom_schedule(3, 5, automations=True))
    account.advance(FIRST_ATTEMPT)

    failed = account.failures[-1].subject
    updated = account.engine.events("invoice.updated")[-1]
    assert isinstance(failed, Invoice)
    assert isinstance(updated.subject, Invoice)
    assert failed.next_payment_attempt is None
    assert updated.subject.next_payment_attempt == int(FIRST_ATTEMPT.timestamp()) + 3 * DAY
    events = account.engine.events()
    assert events.index(updated) > events.index(account.failures[-1])


@pytest.mark.parametrize("outcome", ["authentication_required", "requires_action"])
def test_authentication_is_asked_for_and_given(outcome: str) -> None:
    """Both events come for one failure; the customer's confirmation pays."""
    account = subscribed("ok", outcome)
    account.advance(FIRST_ATTEMPT)
    asked = account.engine.events("invoice.payment_action_required")
    assert [each.subject.id for each in asked] == [each.subject.id for each in account.failures]

    charged = len(account.engine.charges(account.customer)) - 1
    assert charged == (1 if outcome == "authentication_required" else 0)
    attempt = account.engine.confirm_payment(account.invoice)
    assert attempt.succeeded
    assert attempt.charge is not None
    assert attempt.charge.authenticated
    assert account.status == "active"


def test_a_try_by_hand_is_not_counted() -> None:
    """A manual decline fails with the same attempt count and does not move the schedule."""
    account = subscribed("ok", "insufficient_funds")
    account.advance(FIRST_ATTEMPT)
    planned = account.invoice.next_payment_attempt
    assert not account.engine.pay_invoice(account.invoice).succeeded
    assert (account.invoice.attempt_count, account.invoice.next_payment_attempt) == (1, planned)
    assert len(account.failures) == 2
    assert len(account.engine.charges(account.customer)) == 3


def test_without_a_card_nothing_is_charged_and_nothing_retried() -> None:
    """The failure is counted once and stays."""
    account = subscribed("ok")
    account.engine.detach_card(account.engine.charges(account.customer)[0].payment_method)
    account.advance(datetime(2026, 3, 1, tzinfo=UTC))
    assert (account.status, account.invoice.attempt_count) == ("past_due", 1)
    assert account.invoice.next_payment_attempt is None
    assert len(account.engine.charges(account.customer)) == 1


def test_an_indian_card_is_not_retried() -> None:
    """Stripe leaves the customer to pay."""
    engine = BillingEngine()
    clock = engine.create_clock(JANUARY)
    card = Card(outcomes=["ok", "do_not_honor"], country="IN")
    customer = engine.create_customer("someone@example.com", clock=clock, card=card)
    subscription = engine.create_subscription(customer, engine.create_price())
    engine.advance(clock, datetime(2026, 3, 1, tzinfo=UTC))
    assert len(engine.events("invoice.payment_failed")) == 1
    assert engine.latest_invoice(subscription).next_payment_attempt is None


def test_yen_has_no_cents() -> None:
    """Amounts are what Stripe would send for the currency."""
    account = subscribed("ok", currency="jpy", amount=980)
    assert (account.invoice.currency, account.invoice.total) == ("jpy", 980)


def test_two_subscriptions_of_one_customer_stand_for_themselves() -> None:
    """One may fail while the other goes on."""
    account = subscribed("ok")
    other_card = account.engine.save_card(account.customer, Card(outcomes=["ok", "do_not_honor"]))
    account.engine.save_card(account.customer, Card())
    other = account.engine.create_subscription(
        account.customer, account.engine.create_price(500), payment_method=other_card
    )
    account.advance(FIRST_ATTEMPT)
    assert (account.status, account.engine.refresh(other).status) == ("active", "past_due")


def test_a_customer_without_a_clock() -> None:
    """A customer without a clock lives in the account's time, which moves only when told to."""
    engine = BillingEngine(now=JANUARY)
    customer = engine.create_customer("someone@example.com", card=Card())
    subscription = engine.create_subscription(customer, engine.create_price())
    engine.advance(None, datetime(2026, 3, 1, tzinfo=UTC))
    assert customer.test_clock is None
    assert len(engine.invoices(subscription)) == 2


def test_clocks_do_not_move_each_other() -> None:
    """Advancing one clock leaves another customer's world where it was."""
    account = subscribed("ok")
    elsewhere = account.engine.create_clock(JANUARY)
    neighbour = account.engine.create_customer("other@example.com", clock=elsewhere, card=Card())
    theirs = account.engine.create_subscription(neighbour, account.engine.create_price())
    account.advance(datetime(2026, 5, 1, tzinfo=UTC))
    assert len(account.engine.invoices(theirs)) == 1
    assert account.engine.now(elsewhere) == JANUARY


def test_a_clock_tells_when_something_is_due_next() -> None:
    """Moved to just before that, nothing happens; a clock without subscriptions has no plans."""
    account = subscribed("ok")
    empty = account.engine.create_clock(JANUARY)
    assert account.engine.next_due(empty) is None
    due = account.engine.next_due(account.clock)
    assert due
    account.advance(due - timedelta(seconds=1))
    assert len(account.engine.invoices(account.subscription)) == 1
    account.advance(due)
    assert len(account.engine.invoices(account.subscription)) == 2
