"""The real client speaks with the simulation, in both API versions, and meets its refusals."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe import OLD, Card, Fault, SimulatedStripe, custom_schedule, simulated_stripe
from sandbox.stripe.records import Customer, Invoice, Subscription

KEY = "sk_test_sandbox"
FAILED = datetime(2026, 2, 10, 10, tzinfo=UTC)


def client(sim: SimulatedStripe, **options: Any) -> stripe.StripeClient:
    """A real client, pointed at the simulation."""
    return stripe.StripeClient(options.pop("key", KEY), base_addresses={"api": sim.url}, **options)


@pytest.fixture
def sim() -> Iterator[SimulatedStripe]:
    """A running simulation with one customer whose renewal failed for lack of funds."""
    with simulated_stripe(policy=custom_schedule(3, 5, 7)) as simulation:
        engine = simulation.engine
        clock = engine.create_clock(datetime(2026, 1, 10, 9, tzinfo=UTC))
        customer = engine.create_customer(
            "someone@example.com",
            "Someone",
            clock=clock,
            card=Card(outcomes=["ok", "insufficient_funds"]),
            preferred_locales=["de-AT", "en"],
        )
        engine.create_subscription(customer, engine.create_price(), metadata={"seats": "3"})
        engine.advance(clock, FAILED)
        yield simulation


def newest(sim: SimulatedStripe) -> tuple[Customer, Subscription, Invoice]:
    """The customer, the subscription and its failed invoice."""
    subscription = sim.engine.ledger.all(Subscription)[-1]
    return (
        sim.engine.get(Customer, subscription.customer),
        subscription,
        sim.engine.latest_invoice(subscription),
    )


def test_the_reason_through_the_invoices_payments(sim: SimulatedStripe) -> None:
    """New versions reach the decline through invoice, payment and intent: four levels, the most there are."""
    invoice = newest(sim)[2]
    found = client(sim).v1.invoices.retrieve(invoice.id, {"expand": ["payments.data.payment.payment_intent"]})
    assert found.payments is not None
    intent: Any = found.payments.data[0].payment.payment_intent
    assert intent.last_payment_error.decline_code == "insufficient_funds"
    assert intent.latest_charge == invoice.charge


def test_the_reason_asynchronously_and_through_invoice_payments(sim: SimulatedStripe) -> None:
    """The list of invoice payments leads to the intent, by invoice and back by intent."""
    invoice = newest(sim)[2]

    async def ask() -> None:
        v1 = client(sim).v1
        by_invoice = await v1.invoice_payments.list_async(
            {"invoice": invoice.id, "expand": ["data.payment.payment_intent"]}
        )
        intent: Any = by_invoice.data[0].payment.payment_intent
        assert intent.last_payment_error.code == "card_declined"
        back = await v1.invoice_payments.list_async(
            {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
        )
        assert [each.invoice for each in back.data] == [invoice.id]

    asyncio.run(ask())


def test_the_reason_through_charges(sim: SimulatedStripe) -> None:
    """Listing an intent's charges shows each try that really happened with its outcome."""
    invoice = newest(sim)[2]
    charges = client(sim).v1.charges.list({"payment_intent": invoice.payment_intent or ""})
    assert [each.outcome and each.outcome.reason for each in charges.data] == ["insufficient_funds"]
    intent: Any = client(sim).v1.payment_intents.retrieve(
        invoice.payment_intent or "", {"expand": ["latest_charge"]}
    )
    assert intent.latest_charge.outcome.advice_code == "try_again_later"


def test_the_old_version_keeps_its_links(sim: SimulatedStripe) -> None:
    """An old reader expands the intent on the invoice and finds no invoice payments at all."""
    old = client(sim, stripe_version=OLD).v1
    customer, subscription, invoice = newest(sim)
    found: Any = old.invoices.retrieve(
        invoice.id, {"expand": ["payment_intent", "charge", "subscription", "customer"]}
    )
    assert found["payment_intent"]["last_payment_error"]["decline_code"] == "insufficient_funds"
    assert found["charge"]["outcome"]["reason"] == "insufficient_funds"
    assert found["subscription"]["current_period_end"] == subscription.current_period_end
    assert found["customer"]["preferred_locales"] == ["de-AT", "en"]
    with pytest.raises(stripe.InvalidRequestError):
        old.invoice_payments.list({"invoice": invoice.id})
    assert customer.id == found["customer"]["id"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("payment_intent", "cannot be expanded"),
        ("status", "cannot be expanded"),
        ("payments.data.payment.payment_intent.latest_charge", "more than 4 levels"),
    ],
)
def test_what_cannot_be_expanded(sim: SimulatedStripe, path: str, message: str) -> None:
    """Properties the version does not have, plain values and too deep paths are refused with 400."""
    with pytest.raises(stripe.InvalidRequestError, match=message) as refused:
        client(sim).v1.invoices.retrieve(newest(sim)[2].id, {"expand": [path]})
    assert refused.value.http_status == 400


def test_expanding_through_lists_and_parents(sim: SimulatedStripe) -> None:
    """Paths run through list data and nested objects."""
    found: Any = client(sim).v1.invoices.list(
        {"expand": ["data.parent.subscription_details.subscription", "data.customer"]}
    )
    first = found.data[0]
    assert first.parent.subscription_details.subscription.metadata["seats"] == "3"
    assert first.customer.email == "someone@example.com"
    with pytest.raises(stripe.InvalidRequestError, match=r"data\.customer"):
        client(sim).v1.invoices.list({"expand": ["customer"]})


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
    headers = {"Authorization": f"Bearer {KEY}"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{sim.url}/v1/customers", headers=headers, timeout=0.05)


def test_refusals(sim: SimulatedStripe) -> None:
    """A wrong key is 401, an unknown id or address 404, an unknown parameter or version 400."""
    with pytest.raises(stripe.AuthenticationError):
        client(sim, key="sk_test_somebody_else").v1.customers.list()
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client(sim).v1.invoices.retrieve("in_missing")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        client(sim).v1.coupons.list()
    unknown: Any = {"colour": "red"}
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
        client(sim).v1.invoices.list(unknown)
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version"):
        client(sim, stripe_version="yesterday").v1.invoices.list()


def test_events_in_pages(sim: SimulatedStripe) -> None:
    """Newest first with `starting_after`; chronological when paging up from the last event known."""
    v1 = client(sim).v1
    all_ids = [event.id for event in sim.engine.events()]
    down = [each.id for each in v1.events.list({"limit": 7}).auto_paging_iter()]
    assert down == all_ids[::-1]
    up = v1.events.list({"limit": 4, "ending_before": all_ids[2]}).auto_paging_iter()
    assert [each.id for each in up] == all_ids[3:]


def test_events_by_type_and_time(sim: SimulatedStripe) -> None:
    """Filters of the reconciliation: types, and not before a moment."""
    v1 = client(sim).v1
    found = v1.events.list({"types": ["invoice.payment_failed", "invoice.paid"]})
    assert [each.type for each in found.data] == ["invoice.payment_failed", "invoice.paid"]
    since = v1.events.list({"created": {"gte": int(FAILED.timestamp())}, "limit": 100})
    assert all(each.created >= int(FAILED.timestamp()) for each in since.data)
    assert v1.events.retrieve(found.data[0].id).data.object["attempt_count"] == 1


def test_a_clock_is_advanced_over_the_api(sim: SimulatedStripe) -> None:
    """The answer says advancing, the clock is ready when the work is done, and both are events."""
    v1 = client(sim).v1
    clock_id = newest(sim)[0].test_clock or ""
    moving = v1.test_helpers.test_clocks.advance(
        clock_id, {"frozen_time": int((FAILED + timedelta(days=3)).timestamp())}
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
            clock_id, {"frozen_time": int((FAILED + timedelta(days=90)).timestamp())}
        )


def test_lists_leave_test_clocks_out(sim: SimulatedStripe) -> None:
    """Customers and subscriptions on a clock are listed only when the clock is named."""
    v1 = client(sim).v1
    customer, subscription, _ = newest(sim)
    assert v1.customers.list().data == []
    assert v1.subscriptions.list().data == []
    on_clock = v1.customers.list({"test_clock": customer.test_clock or ""})
    assert [each.id for each in on_clock.data] == [customer.id]
    of_customer = v1.subscriptions.list({"customer": customer.id, "status": "all"})
    assert [each.id for each in of_customer.data] == [subscription.id]


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


def test_void_and_write_off(sim: SimulatedStripe) -> None:
    """An open invoice is written off and may then still be voided, but not paid after that."""
    v1 = client(sim).v1
    invoice = newest(sim)[2]
    assert v1.invoices.mark_uncollectible(invoice.id).status == "uncollectible"
    assert v1.invoices.void_invoice(invoice.id).status == "void"
    with pytest.raises(stripe.InvalidRequestError, match="void"):
        v1.invoices.pay(invoice.id)


def test_the_pages_behind_the_links(sim: SimulatedStripe) -> None:
    """The hosted invoice page takes a card and pays; the portal page saves one; guessing leads nowhere."""
    customer, _, invoice = newest(sim)
    url = invoice.hosted_url or ""
    with httpx.Client(follow_redirects=True) as browser:
        assert "open" in browser.get(url).text
        assert browser.get(url.partition("?")[0]).status_code == 404
        assert browser.post(url, data={"number": "4000000000000002"}).status_code == 402
        assert "paid" in browser.post(url).text

        session = client(sim).v1.billing_portal.sessions.create(
            {"customer": customer.id, "flow_data": {"type": "payment_method_update"}}
        )
        before = sim.engine.refresh(customer).default_payment_method
        assert browser.post(session.url, data={"number": "5555555555554444"}).is_success
    assert sim.engine.refresh(customer).default_payment_method != before


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
