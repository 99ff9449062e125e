"""Acting with the real client: paying, keys, faults, clocks, subscriptions."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe import Card, Fault, SimulatedStripe, bank_debit
from tests.sandbox.stripe_account import FIRST_ATTEMPT, client, newest, served_failed_renewal


@pytest.fixture
def sim() -> Iterator[SimulatedStripe]:
    """One customer whose renewal failed for lack of funds."""
    with served_failed_renewal() as simulation:
        yield simulation


def test_paying_by_hand_is_declined(sim: SimulatedStripe) -> None:
    """A declined payment is a CardError that tells all there is to know."""
    invoice = newest(sim)[2]
    with pytest.raises(stripe.CardError) as declined:
        client(sim).v1.invoices.pay(invoice.id)
    error: Any = declined.value.error
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    assert (error.decline_code, error.advice_code) == ("insufficient_funds", "try_again_later")
    assert error.payment_intent.id == invoice.payment_intent
    assert declined.value.user_message == "Your card has insufficient funds."
    assert sim.engine.refresh(invoice).attempt_count == 1


def test_a_new_card_pays(sim: SimulatedStripe) -> None:
    """Attach, make default, pay: the invoice is paid and the subscription active."""
    v1 = client(sim).v1
    customer, subscription, invoice = newest(sim)
    method = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    assert v1.subscriptions.retrieve(subscription.id).status == "past_due"
    assert v1.invoices.pay(invoice.id).status == "paid"
    assert v1.subscriptions.retrieve(subscription.id).status == "active"
    attached = sim.engine.events("payment_method.attached")[-1]
    assert attached.request.id in {each.id for each in sim.requests}


def test_a_charge_is_refunded_in_parts(sim: SimulatedStripe) -> None:
    """Each part is an event of the charge; more than was paid is never given back."""
    v1 = client(sim).v1
    customer, _, invoice = newest(sim)
    sim.engine.save_card(customer, Card())
    v1.invoices.pay(invoice.id)
    intent, charge = invoice.payment_intent or "", sim.engine.charges(customer)[-1]
    assert v1.refunds.create({"payment_intent": intent, "amount": 500}).amount == 500
    assert v1.refunds.create({"charge": charge.id}).amount == charge.amount - 500
    refunded = v1.charges.retrieve(charge.id)
    assert (refunded.amount_refunded, refunded.refunded) == (charge.amount, True)
    assert len(sim.engine.events("charge.refunded")) == 2
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_already_refunded"


def test_confirming_an_intent_on_session(sim: SimulatedStripe) -> None:
    """3D Secure stops an off-session payment with 402; the customer's confirmation completes it."""
    v1 = client(sim).v1
    customer, _, invoice = newest(sim)
    sim.engine.save_card(customer, Card(outcomes=["requires_action"]))
    with pytest.raises(stripe.CardError) as asked:
        v1.invoices.pay(invoice.id)
    assert asked.value.code == "invoice_payment_intent_requires_action"
    intent = v1.payment_intents.retrieve(invoice.payment_intent or "")
    assert intent.status == "requires_action"
    assert v1.payment_intents.confirm(intent.id).status == "succeeded"
    assert sim.engine.refresh(invoice).status == "paid"


def test_the_same_key_gets_the_same_answer(sim: SimulatedStripe) -> None:
    """A repeated request does nothing twice, whether it was paid or declined."""
    v1 = client(sim).v1
    invoice = newest(sim)[2]
    for _ in range(3):
        with pytest.raises(stripe.CardError):
            v1.invoices.pay(invoice.id, {}, {"idempotency_key": "retry-1"})
    tries = sim.api.requested("POST", "/v1/invoices")
    assert [each.replayed for each in tries] == [False, True, True]
    assert {each.idempotency_key for each in tries} == {"retry-1"}
    assert len(sim.engine.charges(newest(sim)[0])) == 3


def test_a_key_belongs_to_one_request(sim: SimulatedStripe) -> None:
    """The same key with other parameters is refused."""
    v1 = client(sim).v1
    customer = newest(sim)[0]
    v1.customers.update(customer.id, {"name": "One"}, {"idempotency_key": "name"})
    with pytest.raises(stripe.IdempotencyError):
        v1.customers.update(customer.id, {"name": "Two"}, {"idempotency_key": "name"})
    assert sim.engine.refresh(customer).name == "One"


def test_an_answer_that_is_lost_is_not_done_twice(sim: SimulatedStripe) -> None:
    """The client's own retry carries the same key, so one charge is made."""
    invoice = newest(sim)[2]
    sim.engine.save_card(newest(sim)[0], Card())
    sim.faults.add(Fault(match="POST .*/pay", status=500, after=True))
    paid = client(sim, max_network_retries=2).v1.invoices.pay(invoice.id)
    assert paid.status == "paid"
    assert len(sim.engine.events("invoice.paid")) == 2


@pytest.mark.parametrize(
    ("status", "error"), [(429, stripe.RateLimitError), (500, stripe.APIError), (503, stripe.APIError)]
)
def test_faults_on_request(sim: SimulatedStripe, status: int, error: type[Exception]) -> None:
    """The wished-for number of requests fails, the next one is answered truly."""
    sim.faults.add(Fault(match="/v1/customers", status=status))
    with pytest.raises(error):
        client(sim).v1.customers.retrieve(newest(sim)[0].id)
    assert client(sim).v1.customers.retrieve(newest(sim)[0].id).email == "someone@example.com"


def test_a_slow_answer(sim: SimulatedStripe) -> None:
    """An impatient client gives up."""
    sim.faults.add(Fault(match="/v1/customers", seconds=0.5))
    headers = {"Authorization": f"Bearer {sim.api_key}"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{sim.url}/v1/customers", headers=headers, timeout=0.05)


def test_a_clock_is_advanced_over_the_api(sim: SimulatedStripe) -> None:
    """The answer says advancing, the clock is ready when the work is done, and both are events."""
    v1 = client(sim).v1
    clock_id = newest(sim)[0].test_clock or ""
    moving = v1.test_helpers.test_clocks.advance(
        clock_id, {"frozen_time": int((FIRST_ATTEMPT + timedelta(days=3)).timestamp())}
    )
    assert moving.status == "advancing"
    deadline = time.monotonic() + 5
    while v1.test_helpers.test_clocks.retrieve(clock_id).status != "ready":
        assert time.monotonic() < deadline
    types = [event.type for event in sim.engine.events()]
    last = [each for each in types if each.startswith("test_helpers")][-2:]
    assert last == ["test_helpers.test_clock.advancing", "test_helpers.test_clock.ready"]
    assert sim.engine.refresh(newest(sim)[2]).attempt_count == 2
    with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
        v1.test_helpers.test_clocks.advance(
            clock_id, {"frozen_time": int((FIRST_ATTEMPT + timedelta(days=90)).timestamp())}
        )


def test_cancelling_and_updating_a_subscription(sim: SimulatedStripe) -> None:
    """Own default card, cancellation at the period's end, then at once."""
    v1 = client(sim).v1
    customer, subscription, invoice = newest(sim)
    card = v1.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
    changed = v1.subscriptions.update(
        subscription.id, {"default_payment_method": card.id, "cancel_at_period_end": True}
    )
    assert (changed.default_payment_method, changed.cancel_at_period_end) == (card.id, True)
    gone = v1.subscriptions.cancel(subscription.id)
    assert gone.status == "canceled"
    assert not sim.engine.refresh(invoice).auto_advance


def test_pausing_a_subscription(sim: SimulatedStripe) -> None:
    """Once, in flexible billing mode, and not when it has ended; in any other, only collection is paused."""
    v1 = client(sim).v1
    _, subscription, _ = newest(sim)
    held: Any = v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    assert held.pause_collection.behavior == "void"
    with pytest.raises(stripe.InvalidRequestError, match="behavior"):
        v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "forget"}})
    classic = replace(sim.engine.refresh(subscription), billing_mode="classic", pause_collection=None)
    sim.engine.ledger.put(classic)
    with pytest.raises(stripe.InvalidRequestError, match="paused"):
        v1.subscriptions.pause(subscription.id)
    sim.engine.ledger.put(replace(classic, billing_mode="flexible"))
    paused: Any = v1.subscriptions.pause(subscription.id, {"type": "subscription"})
    assert (paused.status, paused.billing_mode.type) == ("paused", "flexible")
    assert paused.status_details.paused.subscription.type == "pause_requested"
    with pytest.raises(stripe.InvalidRequestError, match="paused"):
        v1.subscriptions.pause(subscription.id)
    v1.subscriptions.cancel(subscription.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        v1.subscriptions.pause(subscription.id)


def test_a_debit_is_taken_up_and_its_invoice_stays_open(sim: SimulatedStripe) -> None:
    """Paying by hand is answered at once, though the bank answers in five days."""
    customer, _, invoice = newest(sim)
    sim.engine.save_card(customer, bank_debit())
    answer: Any = client(sim).v1.invoices.pay(
        invoice.id, {"off_session": True, "expand": ["payments.data.payment.payment_intent"]}
    )
    assert answer.status == "open"
    assert answer.payments.data[0].payment.payment_intent.status == "processing"


def test_a_detached_card_says_whose_it_was(sim: SimulatedStripe) -> None:
    """In what it was before, since it belongs to nobody now."""
    v1 = client(sim).v1
    customer, _, _ = newest(sim)
    card = v1.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
    v1.payment_methods.detach(card.id)
    event: Any = v1.events.list({"type": "payment_method.detached"}).data[0]
    assert event.data.object.customer is None
    assert event.data.previous_attributes.customer == customer.id


def test_void_and_write_off(sim: SimulatedStripe) -> None:
    """An open invoice is written off and may then still be voided, but not paid after that."""
    v1 = client(sim).v1
    invoice = newest(sim)[2]
    assert v1.invoices.mark_uncollectible(invoice.id).status == "uncollectible"
    assert v1.invoices.void_invoice(invoice.id).status == "void"
    with pytest.raises(stripe.InvalidRequestError, match="void"):
        v1.invoices.pay(invoice.id)


def test_an_account_built_over_the_api(sim: SimulatedStripe) -> None:
    """Clock, customer, card and subscription can be made by the client alone."""
    v1 = client(sim).v1
    clock = v1.test_helpers.test_clocks.create({"frozen_time": 1_770_000_000, "name": "walk"})
    customer = v1.customers.create({"email": "new@example.com", "test_clock": clock.id})
    number: Any = {"number": "4000000000000341", "exp_month": 4, "exp_year": 2030}
    card = v1.payment_methods.create({"type": "card", "card": number})
    v1.payment_methods.attach(card.id, {"customer": customer.id})
    v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    price = v1.prices.list().data[0]
    subscription: Any = v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "expand": ["latest_invoice"]}
    )
    assert (subscription.status, subscription.latest_invoice.status) == ("incomplete", "open")
    product: Any = v1.prices.retrieve(price.id, {"expand": ["product"]}).product
    assert product.name == "Team plan"


@pytest.mark.parametrize("outcome", ["requires_action", "authentication_required"])
def test_a_customer_who_is_there_is_asked_by_the_bank(sim: SimulatedStripe, outcome: str) -> None:
    """Paid on session, nothing is charged or declined before they have answered on a page."""
    engine = sim.engine
    customer = engine.create_customer(
        "ada@customer.example", card=Card(outcomes=("generic_decline", outcome))
    )
    subscription = engine.create_subscription(customer, engine.create_price(1900, "usd"))
    invoice = engine.latest_invoice(subscription)
    with pytest.raises(stripe.CardError) as raised:
        client(sim).v1.invoices.pay(invoice.id, {"off_session": False})
    assert raised.value.code == "invoice_payment_intent_requires_action"
    assert len(engine.charges(customer)) == 1
