"""Reading with the real client: expansion, lists and events, in both API versions."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from sandbox.stripe import OLD, Card, SimulatedStripe
from sandbox.stripe.api.faults import Fault
from sandbox.stripe.records import Invoice
from tests.sandbox.stripe_account import FIRST_ATTEMPT, client, newest, served_failed_renewal


@pytest.fixture
def sim() -> Iterator[SimulatedStripe]:
    """One customer whose renewal failed for lack of funds."""
    with served_failed_renewal() as simulation:
        yield simulation


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


def test_of_a_deleted_customer_nothing_is_left_to_expand(sim: SimulatedStripe) -> None:
    """The path is right, only its end is not there."""
    customer, subscription, _ = newest(sim)
    sim.engine.delete_customer(customer)
    found: Any = client(sim).v1.subscriptions.retrieve(
        subscription.id, {"expand": ["customer.invoice_settings.default_payment_method"]}
    )
    assert found.customer.deleted


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
    since = v1.events.list({"created": {"gte": int(FIRST_ATTEMPT.timestamp())}, "limit": 100})
    assert all(each.created >= int(FIRST_ATTEMPT.timestamp()) for each in since.data)
    assert v1.events.retrieve(found.data[0].id).data.object["attempt_count"] == 1


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


def test_a_list_goes_on_after_what_has_left_it(sim: SimulatedStripe) -> None:
    """The last invoice of a page of open ones is paid before the next page is asked for."""
    engine = sim.engine
    customer = engine.create_customer("other@example.com", card=Card(outcomes=["do_not_honor"]))
    for _ in range(2):
        engine.create_subscription(customer, engine.create_price())
    v1 = client(sim).v1
    first = v1.invoices.list({"status": "open", "limit": 1}).data[0]
    rest = [each.id for each in v1.invoices.list({"status": "open", "starting_after": first.id}).data]
    engine.pay_out_of_band(engine.get(Invoice, first.id))
    again = v1.invoices.list({"status": "open", "starting_after": first.id})
    assert [each.id for each in again.data] == rest


def test_a_refusal_may_say_when_to_come_back(sim: SimulatedStripe) -> None:
    """The header is where clients look for it."""
    sim.faults.add(Fault(status=429, retry_after=7))
    with pytest.raises(stripe.RateLimitError) as refused:
        client(sim).v1.customers.list()
    assert (refused.value.headers or {})["retry-after"] == "7"
