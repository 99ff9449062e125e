"""Whoever opens a page: one customer for each thing that it may have to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sandbox.stripe import Card, custom_schedule
from sandbox.stripe.cards import bank_debit
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

Told = Callable[[World], Story]


def soft(world: World) -> Story:
    """Money was missing; the charge is repeated."""
    return subscriber(world, *["insufficient_funds"] * 9, amount=4900, currency="eur").until(1)


def hard(world: World) -> Story:
    """The card has expired and is never charged again."""
    return subscriber(world, *["expired_card"] * 9).until(1)


def bank_asks(world: World) -> Story:
    """The bank wants to hear from the customer."""
    return subscriber(world, *["requires_action"] * 9).until(1)


def processing(world: World) -> Story:
    """A bank account is being debited."""
    story = soft(world)
    world.stripe.engine.pay_invoice(story.invoice, card=bank_debit("processing:5:ok"))
    world.settle()
    return story


def limited(world: World) -> Story:
    """Ten days have passed."""
    return subscriber(world, *["do_not_honor"] * 9, retries=custom_schedule(40)).until(11)


def revoked(world: World) -> Story:
    """Grace is over."""
    return subscriber(world, *["do_not_honor"] * 9, retries=custom_schedule(40)).until(16)


def first(world: World) -> Story:
    """The very first payment is not complete."""
    return subscriber(world, card=Card(outcomes=("requires_action",)))


def two(world: World) -> Story:
    """A second subscription's invoice is open as well."""
    story = subscriber(world, *["generic_decline"] * 9)
    engine = world.stripe.engine
    price = engine.create_price(700, "usd", interval="month", product_name="Extra seats")
    engine.create_subscription(story.customer, price, trial_days=31)
    return story.until(1)


def paid(world: World) -> Story:
    """They have paid."""
    story = hard(world)
    story.pay(Card())
    return story


def ended(world: World) -> Story:
    """Stripe has ended the subscription."""
    return subscriber(world, *["generic_decline"] * 9).until(16)


def closed(world: World) -> Story:
    """Somebody has voided the invoice."""
    story = hard(world)
    world.stripe.engine.void_invoice(story.invoice)
    world.settle()
    return story


# What each page is headed by, in English.
STORIES: Final[dict[str, tuple[Told, str]]] = {
    "soft": (soft, "Your payment did not go through"),
    "hard": (hard, "Your card has expired"),
    "bank": (bank_asks, "Please confirm your payment"),
    "processing": (processing, "Your payment did not go through"),
    "limited": (limited, "Your payment did not go through"),
    "revoked": (revoked, "Your payment did not go through"),
    "first": (first, "Please confirm your payment"),
    "two": (two, "Your payment did not go through"),
    "paid": (paid, "Thank you, your payment has arrived"),
    "ended": (ended, "Your subscription has ended"),
    "closed": (closed, "There is nothing to pay"),
}
