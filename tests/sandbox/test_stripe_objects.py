"""The bodies have the fields Stripe's own client knows, and move where Stripe moved them."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from stripe.billing_portal import Session
from stripe.test_helpers import TestClock as SdkClock

from sandbox.stripe import NEW, OLD, BillingEngine, Card, custom_schedule
from sandbox.stripe.objects import render
from sandbox.stripe.records import (
    Charge,
    Customer,
    Invoice,
    InvoicePayment,
    PaymentIntent,
    PaymentMethod,
    PortalSession,
    Price,
    Product,
    Record,
    SetupIntent,
    Subscription,
    TestClock,
)
from sandbox.stripe.versions import ApiVersion

# Only sent when expanded, only on deleted objects, or only with features that are not simulated.
NOT_SENT: dict[str, set[str]] = {
    "charge": {"level3", "refunds", "transfer"},
    "customer": {"cash_balance", "invoice_credit_balance", "sources", "subscriptions", "tax", "tax_ids"},
    "invoice": {"confirmation_secret", "payments"},
    "payment_method": {"custom", "radar_options"},
    "price": {"currency_options", "tiers"},
    "setup_intent": {"attach_to_self"},
}

SDK_TYPES: list[tuple[type[Record], Any]] = [
    (Charge, stripe.Charge),
    (Customer, stripe.Customer),
    (Invoice, stripe.Invoice),
    (InvoicePayment, stripe.InvoicePayment),
    (PaymentIntent, stripe.PaymentIntent),
    (PaymentMethod, stripe.PaymentMethod),
    (PortalSession, Session),
    (Price, stripe.Price),
    (Product, stripe.Product),
    (SetupIntent, stripe.SetupIntent),
    (Subscription, stripe.Subscription),
    (TestClock, SdkClock),
]


def failed_renewal() -> BillingEngine:
    """An account with one of everything: a subscription whose first renewal was declined."""
    engine = BillingEngine(policy=custom_schedule(3, 5, 7))
    clock = engine.create_clock(datetime(2026, 1, 31, 10, tzinfo=UTC))
    customer = engine.create_customer(
        "someone@example.com", clock=clock, card=Card(outcomes=["ok", "expired_card"])
    )
    engine.create_subscription(customer, engine.create_price())
    engine.advance(clock, datetime(2026, 3, 1, tzinfo=UTC))
    engine.ledger.put(
        PortalSession(id="bps_1", created=0, customer=customer.id, url="http://127.0.0.1/portal")
    )
    return engine


def last_body(engine: BillingEngine, kind: type[Record], version: str) -> dict[str, Any]:
    """The newest object of a kind as that version shows it."""
    return render(engine.ledger.all(kind)[-1], ApiVersion(version))


@pytest.mark.parametrize(("kind", "sdk"), SDK_TYPES, ids=lambda each: each.__name__)
def test_new_shape_has_exactly_the_fields_of_the_client(kind: type[Record], sdk: Any) -> None:
    """Every field the pinned client declares is sent, and none that it does not know."""
    known = set(sdk.__annotations__) - {"OBJECT_NAME", "deleted"} - NOT_SENT.get(kind.OBJECT, set())
    if kind is PaymentMethod:
        others = set(stripe.PaymentMethod._inner_class_types) - {"billing_details", "card"}
        known -= others
    assert set(last_body(failed_renewal(), kind, NEW)) == known


def test_nested_objects_have_the_fields_of_the_client() -> None:
    """Lines, items and plans inside other objects are whole as well."""
    engine = failed_renewal()
    (line,) = last_body(engine, Invoice, NEW)["lines"]["data"]
    (item,) = last_body(engine, Subscription, NEW)["items"]["data"]
    for body, sdk, not_sent in (
        (line, stripe.InvoiceLineItem, set[str]()),
        (item, stripe.SubscriptionItem, set[str]()),
        (item["plan"], stripe.Plan, {"tiers"}),
    ):
        assert set(body) == set(sdk.__annotations__) - {"OBJECT_NAME", "deleted"} - not_sent


def test_invoice_links_in_both_shapes() -> None:
    """Old invoices name subscription, intent and charge; new ones have only a parent."""
    engine = failed_renewal()
    invoice = engine.ledger.all(Invoice)[-1]
    old, new = last_body(engine, Invoice, OLD), last_body(engine, Invoice, NEW)

    assert old["subscription"] == invoice.subscription
    assert old["payment_intent"] == invoice.payment_intent
    assert old["charge"] == engine.ledger.all(Charge)[-1].id
    assert old["paid"] is False
    assert "parent" not in old
    assert new["parent"]["subscription_details"]["subscription"] == invoice.subscription
    assert not {"subscription", "payment_intent", "charge", "paid", "tax", "quote", "discount"} & set(new)


def test_lines_in_both_shapes() -> None:
    """Old lines carry the whole price, new ones point at it."""
    engine = failed_renewal()
    (old,) = last_body(engine, Invoice, OLD)["lines"]["data"]
    (new,) = last_body(engine, Invoice, NEW)["lines"]["data"]

    assert old["price"]["id"] == new["pricing"]["price_details"]["price"]
    assert old["subscription_item"] == new["parent"]["subscription_item_details"]["subscription_item"]
    assert not {"price", "plan", "proration", "type", "subscription_item"} & set(new)


def test_period_moves_from_the_subscription_to_its_items() -> None:
    """The period's end is on the subscription before basil and on the items after it."""
    engine = failed_renewal()
    old, new = last_body(engine, Subscription, OLD), last_body(engine, Subscription, NEW)
    end = int(datetime(2026, 3, 31, 10, tzinfo=UTC).timestamp())

    assert old["current_period_end"] == end
    assert "current_period_end" not in new
    assert [item["current_period_end"] for item in new["items"]["data"]] == [end]
    assert "current_period_end" not in old["items"]["data"][0]


def test_payments_lose_their_invoice() -> None:
    """Only old intents and charges say which invoice they are for."""
    engine = failed_renewal()
    for kind in (PaymentIntent, Charge):
        assert last_body(engine, kind, OLD)["invoice"] == engine.ledger.all(Invoice)[-1].id
        assert "invoice" not in last_body(engine, kind, NEW)


def test_the_reason_is_on_intent_and_charge_and_nowhere_on_the_invoice() -> None:
    """The decline is told by the intent's last error and the charge's outcome only."""
    engine = failed_renewal()
    error = last_body(engine, PaymentIntent, NEW)["last_payment_error"]
    charge = last_body(engine, Charge, NEW)

    assert (error["code"], error["decline_code"]) == ("expired_card", "expired_card")
    assert (error["advice_code"], error["network_decline_code"]) == ("confirm_card_data", "54")
    assert error["charge"] == charge["id"]
    assert (charge["failure_code"], charge["outcome"]["reason"]) == ("expired_card", "expired_card")
    assert "expired_card" not in str(last_body(engine, Invoice, NEW))


def test_a_version_between_the_two_has_the_moved_fields_only() -> None:
    """Basil moved the links; `status_details` came with endive."""
    engine = failed_renewal()
    clover = last_body(engine, Invoice, "2026-02-25.clover")
    assert "parent" in clover
    assert "status_details" not in clover


def test_event_carries_what_changed() -> None:
    """`previous_attributes` holds the former values of what differs and nothing else."""
    engine = failed_renewal()
    past_due = engine.events("customer.subscription.updated")[-1]
    body = render(past_due, ApiVersion(NEW))

    assert body["data"]["object"]["status"] == "past_due"
    assert body["data"]["previous_attributes"] == {"status": "active"}
    assert body["api_version"] == NEW
    assert body["livemode"] is False


def test_event_keeps_the_object_as_it_was() -> None:
    """A later change does not reach into an event that was already emitted."""
    engine = failed_renewal()
    created = engine.events("invoice.created")[-1]
    assert render(created, ApiVersion(NEW))["data"]["object"]["status"] == "draft"
    assert last_body(engine, Invoice, NEW)["status"] == "open"


def test_renewal_shows_the_former_period_in_both_shapes() -> None:
    """A renewal's `previous_attributes` hold the period where the version has it."""
    renewed = failed_renewal().events("customer.subscription.updated")[-2]
    old = render(renewed, ApiVersion(OLD))["data"]["previous_attributes"]
    new = render(renewed, ApiVersion(NEW))["data"]["previous_attributes"]

    assert set(old) == {"current_period_end", "current_period_start", "latest_invoice"}
    assert set(new) == {"items", "latest_invoice"}


def test_same_seed_same_ids() -> None:
    """Two runs with one seed are the same to the last id; they have Stripe's look."""
    first, second = failed_renewal(), failed_renewal()
    assert [event.id for event in first.events()] == [event.id for event in second.events()]
    invoice = first.ledger.all(Invoice)[-1]
    assert invoice.id.startswith("in_1")
    assert len(invoice.id) == 27
