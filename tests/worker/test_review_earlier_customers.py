"""Customers from before the service was set up: what nobody has told us is no reason to lock anybody out."""

from __future__ import annotations

from db import models
from sandbox.stripe import Card
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
