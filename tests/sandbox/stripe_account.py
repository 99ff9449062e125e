"""A subscriber on a test clock, and a served account whose renewal failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe

from sandbox.stripe import (
    BillingEngine,
    Card,
    RetryPolicy,
    SimulatedStripe,
    custom_schedule,
    simulated_stripe,
)
from sandbox.stripe.records import Customer, Event, Invoice, Subscription, TestClock

JANUARY = datetime(2026, 1, 10, 9, tzinfo=UTC)
# The first renewal's charge: a month later, an hour after its draft.
FIRST_ATTEMPT = datetime(2026, 2, 10, 10, tzinfo=UTC)


@dataclass
class Account:
    """One customer on one clock."""

    engine: BillingEngine
    clock: TestClock
    customer: Customer
    subscription: Subscription

    def advance(self, to: datetime) -> None:
        self.engine.advance(self.engine.refresh(self.clock), to)

    @property
    def status(self) -> str:
        return self.engine.refresh(self.subscription).status

    @property
    def invoice(self) -> Invoice:
        return self.engine.latest_invoice(self.subscription)

    @property
    def failures(self) -> list[Event]:
        return self.engine.events("invoice.payment_failed")


def subscribed(
    *outcomes: str,
    policy: RetryPolicy | None = None,
    start: datetime = JANUARY,
    currency: str = "usd",
    amount: int = 2000,
    trial_days: int = 0,
) -> Account:
    """A new subscriber; the first outcome is that of the first payment."""
    engine = BillingEngine(policy=policy or custom_schedule(3, 5, 7))
    clock = engine.create_clock(start)
    customer = engine.create_customer("someone@example.com", clock=clock, card=Card(outcomes=outcomes))
    price = engine.create_price(amount, currency)
    subscription = engine.create_subscription(customer, price, trial_days=trial_days)
    return Account(engine, clock, customer, subscription)


@contextmanager
def served_failed_renewal() -> Iterator[SimulatedStripe]:
    """A running simulation with one customer whose renewal failed for lack of funds."""
    with simulated_stripe(policy=custom_schedule(3, 5, 7)) as simulation:
        engine = simulation.engine
        clock = engine.create_clock(JANUARY)
        customer = engine.create_customer(
            "someone@example.com",
            "Someone",
            clock=clock,
            card=Card(outcomes=["ok", "insufficient_funds"]),
            preferred_locales=["de-AT", "en"],
        )
        engine.create_subscription(customer, engine.create_price(), metadata={"seats": "3"})
        engine.advance(clock, FIRST_ATTEMPT)
        yield simulation


def client(sim: SimulatedStripe, **options: Any) -> stripe.StripeClient:
    """A real client, pointed at the simulation."""
    key = options.pop("key", sim.api_key)
    return stripe.StripeClient(key, base_addresses={"api": sim.url}, **options)


def newest(sim: SimulatedStripe) -> tuple[Customer, Subscription, Invoice]:
    """The customer, the subscription and its failed invoice."""
    subscription = sim.engine.ledger.all(Subscription)[-1]
    return (
        sim.engine.get(Customer, subscription.customer),
        subscription,
        sim.engine.latest_invoice(subscription),
    )
