"""Events that were lost on their way are taken in from Stripe's own list, once, as of their own time."""

from __future__ import annotations

from random import Random

import pytest

from db import models
from providers.pacing import Pace
from providers.stripe_listing import PacedApi
from sandbox.stripe import Card, Fault
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import START, World
from worker.reconciling import Reconciled, reconcile


def look(world: World, *, store: bool = True) -> Reconciled:
    """Ask for everything since the world began."""

    async def ask() -> Reconciled:
        api = PacedApi(world.stripe.api_key, Pace(1000.0), api_base=world.stripe.url)
        return await reconcile(world.services.engine, api, START, store=store)

    return world.run(ask())


def failed(make_world: MakeWorld) -> tuple[World, Story]:
    """A renewal failed yesterday, and nothing of it has arrived."""
    world = make_world()
    story = subscriber(world, "expired_card")
    engine = world.stripe.engine
    engine.advance(engine.refresh(story.clock), story.renewal)
    world.hear()
    return world, story


def stored(world: World) -> list[str]:
    return sorted(row.event_id for row in world.rows(models.inbox, models.inbox.c.event_id))


def test_an_outage_is_made_up_for(make_world: MakeWorld) -> None:
    """Looked at first, which writes nothing; then the customer is told, and nothing is missing any more."""
    world, story = failed(make_world)
    before = stored(world)
    tried = look(world, store=False)
    assert tried.missed["invoice.payment_failed"] == 1
    assert stored(world) == before
    done = look(world)
    assert done.missed == tried.missed
    world.tick()
    assert story.mails() == [(0, "payment_failed 1")]
    assert look(world).missed.total() == 0


def test_class_6_what_arrives_after_all_changes_nothing(make_world: MakeWorld) -> None:
    """The provider's own retry of a delivery is a duplicate of what was taken in."""
    world, story = failed(make_world)
    look(world)
    world.tick()
    once = stored(world)
    world.deliver(world.stripe.engine.events())
    assert (stored(world), story.mails()) == (once, [(0, "payment_failed 1")])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_class_5_whatever_is_lost_the_end_is_the_same(make_world: MakeWorld, seed: int) -> None:
    """Half of a story's events arrive, among them perhaps the payment; the rest is found."""
    world, story = failed(make_world)
    world.stripe.engine.pay_invoice(story.invoice, card=Card(last4="4242"), on_session=True)
    events = world.stripe.engine.events()
    chance = Random(seed)  # noqa: S311  # repeatable, not a secret
    world.deliver([event for event in events if chance.random() < 0.5])
    look(world)
    world.tick()
    assert story.level() == ("full", "good_standing")
    assert story.outcome() == "recovered"


def test_many_pages(world: World) -> None:
    """A hundred events are one of Stripe's pages, and what nobody handles is not stored."""
    for number in range(120):
        world.stripe.engine.create_customer(f"c{number}@customer.example")
    done = look(world)
    assert (done.listed, done.missed.total(), stored(world)) == (120, 0, [])
    assert len(world.stripe.api.requested("GET", "/v1/events")) == 2


def test_a_provider_that_wants_it_slower(make_world: MakeWorld) -> None:
    """It is asked again."""
    world, _ = failed(make_world)
    world.stripe.faults.add(Fault(match="GET /v1/events", status=429))
    assert look(world).missed["invoice.payment_failed"] == 1
