"""Customers from before the service was set up: what nobody has told us is no reason to lock anybody out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from db import models
from sandbox.stripe import Card, custom_schedule
from tests.scenarios.story import RENEWAL
from tests.scenarios.world import World


def test_a_new_card_of_a_customer_without_a_known_subscription_decides_nothing(world: World) -> None:
    """They subscribed before our time and now change their card: nothing is decided about their access."""
    engine = world.stripe.engine
    customer = engine.create_customer("ada@customer.example", card=Card())
    engine.create_subscription(customer, engine.create_price())
    world.hear()
    engine.save_card(customer, Card("mastercard", "4444"))
    world.change_customer(customer, name="Ada Example")

    assert [row.ref for row in world.rows(models.customers)] == [customer.id]
    assert world.rows(models.access) == []


def test_another_subscription_from_before_our_time_keeps_access(world: World) -> None:
    """Two subscriptions from before our time, and we hear only of the one that fails and is cancelled.

    Stripe is asked about the failure anyway, and then tells of both: nobody who pays is locked out.
    """
    engine = world.stripe.engine
    failing = Card(outcomes=("ok", *["insufficient_funds"] * 9))
    customer = engine.create_customer("ada@customer.example", card=failing)
    retries = custom_schedule(3, 5, 7)
    engine.create_subscription(customer, engine.create_price(), policy=retries)
    first = engine.refresh(customer).default_payment_method
    method = engine.save_card(customer, Card("mastercard", "4444"))
    engine.ledger.put(replace(engine.refresh(customer), default_payment_method=first))
    yearly = engine.create_price(4900, interval="year")
    engine.create_subscription(customer, yearly, payment_method=method)
    world.hear()
    for day in (0, 3, 8, 11, 13, 14, 15, 16):
        world.advance(None, RENEWAL + timedelta(days=day))

    assert {row.level for row in world.rows(models.access)} == {"full"}
    levels = [row.data["to"] for row in world.rows(models.journal) if row.kind == "access.changed"]
    assert levels == ["full"]
