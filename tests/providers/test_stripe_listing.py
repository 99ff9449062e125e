"""Pages of a running business as facts: what is read of each invoice, and what cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from dunning.events import ChargeFailed, InvoiceSeen, SubscriptionSeen
from providers.stripe.listing import PacedApi, StripeListing
from sandbox.stripe import BillingEngine, Card, SimulatedStripe, bank_debit, custom_schedule, simulated_stripe
from sandbox.stripe.records import Invoice, Subscription
from tests.worker.importing import Moments, pace

T = TypeVar("T")
START = datetime(2026, 1, 1, 9, tzinfo=UTC)
NOW = START + timedelta(days=60)
RENEWAL = START + timedelta(days=31, hours=1)


@pytest.fixture
def stripe() -> Iterator[SimulatedStripe]:
    engine = BillingEngine(now=START, policy=custom_schedule(3, 5, 7, at_end="past_due"))
    with simulated_stripe(engine=engine) as served:
        yield served


def subscribe(stripe: SimulatedStripe, card: Card) -> Subscription:
    customer = stripe.engine.create_customer("ada@customer.example", card=card)
    return stripe.engine.create_subscription(customer, stripe.engine.create_price())


def read(stripe: SimulatedStripe, question: Callable[[StripeListing], Awaitable[T]]) -> T:
    async def ask() -> T:
        api = PacedApi(stripe.api_key, pace(20, Moments()), api_base=stripe.url)
        return await question(StripeListing(api, now=lambda: NOW))

    return asyncio.run(ask())


def test_each_failed_charge_is_read_with_its_own_time_and_code(stripe: SimulatedStripe) -> None:
    """Four charges over weeks, for two reasons, long ago."""
    subscribe(stripe, Card(outcomes=["ok", "insufficient_funds", "expired_card"]))
    stripe.engine.advance(None, START + timedelta(days=50))
    page = read(stripe, lambda listing: listing.open_invoices(None))
    charges = sorted((fact.at, fact.decline_code) for fact in page.facts if isinstance(fact, ChargeFailed))
    assert charges[0] == (RENEWAL, "insufficient_funds")
    assert [code for _, code in charges[1:]] == ["expired_card"] * 3
    assert (page.invoices_read, page.last) == (1, None)


def test_what_is_read_is_as_of_a_minute_before(stripe: SimulatedStripe) -> None:
    """Whose clock is right is not known: an event of the same minute is believed."""
    subscribe(stripe, Card())
    page = read(stripe, lambda listing: listing.subscriptions(None))
    [seen] = [fact for fact in page.facts if isinstance(fact, SubscriptionSeen)]
    assert (seen.as_of.at, seen.as_of.read_at) == (NOW - timedelta(minutes=1), NOW)


def test_a_debit_that_failed_long_ago_is_dated_a_week_after_it_was_begun(stripe: SimulatedStripe) -> None:
    """Its charge says when it was begun, and nobody says any more when it came back."""
    subscribe(stripe, bank_debit("processing:5:ok", "processing:5:insufficient_funds"))
    stripe.engine.advance(None, START + timedelta(days=50))
    page = read(stripe, lambda listing: listing.open_invoices(None))
    [charge] = [fact for fact in page.facts if isinstance(fact, ChargeFailed)]
    assert charge.at == RENEWAL + timedelta(days=7)


def test_an_invoice_that_is_sent_by_hand_is_seen_and_not_asked_about(stripe: SimulatedStripe) -> None:
    """One question for the page, none for the invoice."""
    bought = subscribe(stripe, Card(outcomes=["do_not_honor"]))
    ledger = stripe.engine.ledger
    invoice = ledger.get(Invoice, bought.latest_invoice or "")
    ledger.put(replace(invoice, collection_method="send_invoice"))
    page = read(stripe, lambda listing: listing.open_invoices(None))
    assert [type(fact) for fact in page.facts] == [InvoiceSeen]
    assert len(stripe.requests) == 1


def test_an_object_without_its_shape_is_left_out_and_named(stripe: SimulatedStripe) -> None:
    """The others of its page are taken over all the same."""
    broken, whole = subscribe(stripe, Card()), subscribe(stripe, Card())
    stripe.engine.ledger.put(replace(broken, status=""))
    page = read(stripe, lambda listing: listing.subscriptions(None))
    assert page.unreadable == (broken.id,)
    assert [fact.subscription for fact in page.facts if isinstance(fact, SubscriptionSeen)] == [whole.id]
