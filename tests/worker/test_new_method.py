"""A new payment method pays what is open, once, wherever its events come from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from stripe import StripeClient

from sandbox.stripe import Card, Fault
from sandbox.stripe.records import Subscription
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from tests.worker.plain import plain


def failing(make_world: MakeWorld, *, policy: bool = True) -> tuple[World, Story]:
    """A subscriber with a dead card on the subscription itself, one day after the renewal."""
    world = make_world(policy=plain(pay_on_new_method=policy))
    story = subscriber(world, *["expired_card"] * 9)
    stripe = StripeClient(world.stripe.api_key, base_addresses={"api": world.stripe.url})
    stripe.v1.subscriptions.update(story.subscription.id, {"default_payment_method": story.card.id})
    world.settle()
    return world, story.until(1)


def asked(world: World) -> list[str | None]:
    """The idempotency keys of the charges that Stripe was asked for."""
    return [each.idempotency_key for each in world.stripe.requests if each.path.endswith("/pay")]


def test_class_27_it_is_put_on_the_slot_that_failed_and_charged_once(make_world: MakeWorld) -> None:
    """Three events tell of it: attached, set up, and the customer's new default."""
    world, story = failing(make_world)
    engine = world.stripe.engine
    new = engine.save_card(engine.refresh(story.customer), Card(last4="1881"))
    world.settle()
    assert story.level() == ("full", "good_standing")
    assert len(asked(world)) == 1
    assert engine.get(Subscription, story.subscription.id).default_payment_method == new.id


def test_one_that_is_declined_is_not_charged_again(make_world: MakeWorld) -> None:
    """The mail says why; the next one that is given is charged."""
    world, story = failing(make_world)
    engine = world.stripe.engine
    engine.save_card(engine.refresh(story.customer), Card(last4="9995", outcomes=("insufficient_funds",)))
    world.settle()
    world.tick()
    assert len(asked(world)) == 1
    story.until(2)
    engine.save_card(engine.refresh(story.customer), Card(last4="1881"))
    world.settle()
    assert len(asked(world)) == 2
    assert story.level() == ("full", "good_standing")


def test_an_older_card_that_becomes_the_default_is_charged(make_world: MakeWorld) -> None:
    """Nothing is attached and nothing is set up: the customer's new default is all that tells of it."""
    world = make_world(policy=plain(pay_on_new_method=True))
    story = subscriber(world, *["expired_card"] * 9)
    first, older = story.card, world.stripe.engine.save_card(story.customer, Card(last4="1881"))
    stripe = StripeClient(world.stripe.api_key, base_addresses={"api": world.stripe.url})
    stripe.v1.customers.update(story.customer.id, {"invoice_settings": {"default_payment_method": first.id}})
    world.settle()
    story.until(1)
    assert asked(world) == []
    stripe.v1.customers.update(story.customer.id, {"invoice_settings": {"default_payment_method": older.id}})
    world.settle()
    assert len(asked(world)) == 1
    assert story.level() == ("full", "good_standing")


def test_the_network_replaces_a_card(make_world: MakeWorld) -> None:
    """It stays the same method, and is charged as it is now."""
    world, story = failing(make_world)
    world.stripe.engine.network_updates_card(story.card, Card(last4="4242", exp=(1, 2035)))
    world.settle()
    assert len(asked(world)) == 1
    assert story.level() == ("full", "good_standing")


def test_without_the_policy_nothing_is_charged(make_world: MakeWorld) -> None:
    """Stripe charges it at its own next retry."""
    world, story = failing(make_world, policy=False)
    engine = world.stripe.engine
    engine.save_card(engine.refresh(story.customer), Card(last4="1881"))
    world.settle()
    assert asked(world) == []


@pytest.mark.parametrize("lost", ["POST .*/subscriptions/", "POST .*/pay"])
def test_class_7_cut_off_half_way_it_is_charged_once(make_world: MakeWorld, lost: str) -> None:
    """Stripe's answer is lost after it was done: everything is asked again with the same keys."""
    world, story = failing(make_world)
    engine = world.stripe.engine
    world.stripe.faults.add(Fault(match=lost, times=2, status=500, after=True))
    engine.save_card(engine.refresh(story.customer), Card(last4="1881"))
    world.settle()
    world.stripe.faults.clear()
    world.machine_time(timedelta(minutes=5))
    assert story.level() == ("full", "good_standing")
    assert len(set(asked(world))) == 1
    assert len([each for each in story.charges if each.paid]) == 2
