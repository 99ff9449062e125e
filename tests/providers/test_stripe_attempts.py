"""Which of Stripe's events ask for the ledger of charges, since their own count is only a position."""

from datetime import timedelta
from typing import Any

import pytest

from providers.lookup import Lookup, Subject
from providers.stripe.facts import normalise
from sandbox.stripe import BillingEngine, Card, custom_schedule
from sandbox.stripe.objects import render_event
from sandbox.stripe.records import Invoice
from sandbox.stripe.versions import NEW, OLD, ApiVersion

VERSIONS = pytest.mark.parametrize("version", [NEW, OLD])


@pytest.fixture
def engine() -> BillingEngine:
    """An account whose one customer's renewal and first retry have failed; a hard decline is not retried."""
    engine = BillingEngine()
    clock = engine.create_clock(engine.now())
    customer = engine.create_customer(
        "ada@customer.example", clock=clock, card=Card(outcomes=("ok", "lost_card"))
    )
    price = engine.create_price()
    engine.create_subscription(customer, price, policy=custom_schedule(3))
    engine.advance(clock, engine.now(clock) + timedelta(days=40))
    return engine


def of_failing_invoice(engine: BillingEngine, kind: str, version: str) -> list[dict[str, Any]]:
    """The events of this type about the renewal's invoice while it is open."""
    return [
        render_event(event, ApiVersion(version))
        for event in engine.events(kind)
        if isinstance(event.subject, Invoice)
        and event.subject.billing_reason == "subscription_cycle"
        and event.subject.status == "open"
    ]


@VERSIONS
@pytest.mark.parametrize("kind", ["invoice.updated", "invoice.payment_failed"])
def test_whatever_counts_an_attempt_has_the_ledger_read(
    engine: BillingEngine, kind: str, version: str
) -> None:
    """The second attempt was counted, but never made: whichever event comes first, the ledger is asked."""
    events = of_failing_invoice(engine, kind, version)
    assert {event["data"]["object"]["attempt_count"] for event in events} == {1, 2}
    for event in events:
        (lookup,) = normalise(event).lookups
        assert (lookup.subject, lookup.ref) == (Subject.INVOICE, event["data"]["object"]["id"])


@VERSIONS
def test_an_update_that_counts_nothing_asks_nothing(engine: BillingEngine, version: str) -> None:
    """Most invoices never fail, and their updates cost no request."""
    paid = [
        render_event(event, ApiVersion(version))
        for event in engine.events("invoice.updated")
        if isinstance(event.subject, Invoice) and event.subject.status == "paid"
    ]
    lookups: list[Lookup] = [lookup for event in paid for lookup in normalise(event).lookups]
    assert paid
    assert lookups == []
