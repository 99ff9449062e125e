"""What a period of a subscription costs, where that can be known, in both shapes."""

from __future__ import annotations

from typing import Any

import pytest

from dunning.events import SubscriptionSeen
from providers.lookup import Subject
from providers.stripe.facts import normalise
from sandbox.stripe import Card, SimulatedStripe
from tests.providers.asking import look_up, of
from tests.providers.bodies import NEW_SHAPE, OLD_SHAPE, body
from tests.sandbox.stripe_account import client

SHAPES = pytest.mark.parametrize("shape", [NEW_SHAPE, OLD_SHAPE])


def seen(shape: str, *items: dict[str, Any], **fields: Any) -> SubscriptionSeen:
    """A subscription with items that differ from the usual one in this."""
    event = body("subscription_past_due", shape)
    thing = event["data"]["object"]
    usual = thing["items"]["data"][0]
    if items:
        thing["items"]["data"] = [
            usual | item | {"price": usual["price"] | item.get("price", {})} for item in items
        ]
    thing |= fields
    (fact,) = normalise(event).facts
    assert isinstance(fact, SubscriptionSeen)
    return fact


@SHAPES
def test_an_item_costs_its_price_for_each(shape: str) -> None:
    """Seats, and an extra on top."""
    assert seen(shape).amount == 4900
    assert seen(shape, {"quantity": 3}).amount == 14_700
    assert seen(shape, {"quantity": 3}, {"price": {"unit_amount": 250}}).amount == 14_950
    assert seen(shape, {"price": {"unit_amount": 0}}).amount == 0


@SHAPES
@pytest.mark.parametrize(
    "item",
    [
        {"price": {"billing_scheme": "tiered", "unit_amount": None}},
        {"price": {"unit_amount": None, "unit_amount_decimal": "0.5"}},
        {"price": {"recurring": {"interval": "month", "interval_count": 1, "usage_type": "metered"}}},
        {"price": {"recurring": {"interval": "year", "interval_count": 1, "usage_type": "licensed"}}},
        {"price": {"transform_quantity": {"divide_by": 10, "round": "up"}}},
        {"price": {"unit_amount": 2**62}, "quantity": 4},
        {"quantity": None},
    ],
    ids=["tiered", "fraction", "metered", "other period", "packages", "beyond measure", "no quantity"],
)
def test_one_item_without_a_fixed_amount_leaves_the_whole_open(shape: str, item: dict[str, Any]) -> None:
    """A sum of what is known would be too small, and nobody would see it."""
    found = seen(shape, {}, item)
    assert (found.amount, found.currency) == (None, "eur")


@SHAPES
def test_a_list_that_did_not_come_whole_has_no_sum(shape: str) -> None:
    """Neither has one without items."""
    items = body("subscription_past_due", shape)["data"]["object"]["items"]
    assert seen(shape, items=items | {"has_more": True}).amount is None
    assert seen(shape, items=items | {"data": []}).amount is None


@SHAPES
def test_the_currency_is_the_subscriptions_or_its_prices(shape: str) -> None:
    """Long ago only the prices had one."""
    assert seen(shape, currency=None).currency == "eur"
    assert seen(shape, currency=None, items=None).currency is None


def test_what_is_read_back_is_summed_up_too(stripe: SimulatedStripe) -> None:
    """Two prices, one of them for three seats."""
    engine = stripe.engine
    customer = engine.create_customer("ada@customer.example", card=Card())
    seats, extra = engine.create_price(1900, "eur"), engine.create_price(500, "eur")
    made = client(stripe).v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": seats.id, "quantity": 3}, {"price": extra.id}]}
    )
    (found,) = of(look_up(stripe, Subject.SUBSCRIPTION, made.id), SubscriptionSeen)
    assert (found.amount, found.currency) == (6200, "eur")
