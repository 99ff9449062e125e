"""Before anything fails: a card that expires before the next charge, by the sweep, by either clock, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from db import models
from dunning.instructions import Verb
from dunning.policy import Policy
from dunning.requests import Request
from sandbox.stripe import Card
from sandbox.stripe.records import PaymentMethod
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import START, World
from tests.worker.breaking import later, release, trip
from worker.queues import MAIL

# Good to the end of January: the renewal of the first of February comes after it.
EXPIRING = Card(exp=(1, 2026))
NOTICE_AT = START + timedelta(days=31 - 14)
CLOCKS = pytest.mark.parametrize("wall", [True, False], ids=["wall clock", "test clock"])


def renewing(world: World, card: Card = EXPIRING, **options: Any) -> Story:
    """A subscriber who has paid; the next charge is a month ahead."""
    story = subscriber(world, card=card, **options)
    world.tick()
    return story


def advance(story: Story, to: datetime) -> None:
    story.world.advance(story.present_clock, to)


def notices(world: World) -> list[tuple[str, str]]:
    """(name, status) of everything that was decided."""
    return [(step.partition(":")[0], status) for step, status in world.effects()]


def due_at(world: World) -> datetime | None:
    (row,) = world.rows(models.subscriptions)
    found: datetime | None = row.due_at
    return found


@CLOCKS
def test_a_card_that_expires_before_the_next_charge_is_told_once(world: World, wall: bool) -> None:
    """Fourteen days ahead, without any event: the row's own time makes it due."""
    story = renewing(world, wall=wall)
    assert due_at(world) == NOTICE_AT
    advance(story, NOTICE_AT - timedelta(minutes=1))
    assert notices(world) == []
    advance(story, NOTICE_AT)
    assert notices(world) == [("card_expiring", "sent")]
    assert len(story.inbox) == 1
    assert "https://merchant.example/billing" in story.text()
    assert due_at(world) is None
    for day in (18, 20, 30):
        advance(story, START + timedelta(days=day))
        world.machine_time(timedelta(minutes=1))
    assert notices(world) == [("card_expiring", "sent")]


@CLOCKS
def test_a_lost_wake_up_costs_a_moment(world: World, wall: bool) -> None:
    """The scheduler finds what nobody was told of."""
    story = renewing(world, wall=wall)
    world.forgetful = True
    advance(story, NOTICE_AT)
    for _ in ("the clock", "the customer", "the mail"):
        world.machine_time(timedelta(minutes=1))
    assert notices(world) == [("card_expiring", "sent")]


@CLOCKS
def test_class_5_who_has_replaced_the_card_hears_nothing(world: World, wall: bool) -> None:
    """The new one is good for years."""
    story = renewing(world, wall=wall)
    advance(story, START + timedelta(days=10))
    world.stripe.engine.save_card(story.customer, Card())
    world.settle()
    assert due_at(world) is None
    advance(story, NOTICE_AT + timedelta(days=1))
    assert notices(world) == []


def test_class_5_who_replaces_the_card_before_the_mail_is_sent_hears_nothing(world: World) -> None:
    """It was decided, and is asked about again at the last moment."""
    story = renewing(world)
    world.held = {MAIL}
    advance(story, NOTICE_AT)
    assert notices(world) == [("card_expiring", "pending")]
    world.stripe.engine.save_card(story.customer, Card())
    world.settle()
    world.held = set()
    world.machine_time(timedelta(minutes=1))
    assert notices(world) == [("card_expiring", "suppressed")]
    assert story.inbox == []


def test_a_card_that_its_network_has_renewed_is_not_told(world: World) -> None:
    """The same method with another date on it."""
    story = renewing(world)
    advance(story, START + timedelta(days=10))
    card = world.stripe.engine.get(PaymentMethod, story.card.id)
    world.stripe.engine.network_updates_card(card, EXPIRING.with_expiry((1, 2030)))
    world.settle()
    advance(story, NOTICE_AT)
    assert (due_at(world), notices(world)) == (None, [])


@CLOCKS
def test_an_annual_plan_is_told_before_it_renews(world: World, wall: bool) -> None:
    """With a card that is good for years."""
    story = renewing(world, Card(), interval="year", wall=wall)
    to = START + timedelta(days=365 - 14)
    assert due_at(world) == to
    advance(story, to)
    assert notices(world) == [("renewal_notice", "sent")]


def test_class_15_who_has_cancelled_is_not_told(world: World) -> None:
    """Nothing will be charged."""
    story = renewing(world)
    advance(story, START + timedelta(days=10))
    world.stripe.engine.cancel(story.subscription, at_period_end=True)
    world.settle()
    advance(story, NOTICE_AT)
    assert (due_at(world), notices(world)) == (None, [])


def test_ten_looks_at_once_are_one_mail(world: World) -> None:
    """Two schedulers and all workers in the same moment."""
    story = renewing(world, wall=True)
    world.stripe.engine.advance(None, NOTICE_AT)
    world.now = NOTICE_AT
    for _ in range(5):
        world.tick_twice_at_once()
    assert notices(world) == [("card_expiring", "sent")]
    assert len(story.inbox) == 1


def test_a_tripped_breaker_holds_it_and_lets_it_go(world: World) -> None:
    """It stays due, and is looked at again in minutes."""
    story = renewing(world, wall=True)
    trip(world)
    advance(story, NOTICE_AT)
    assert notices(world) == []
    looked_again = due_at(world)
    assert looked_again is not None
    assert looked_again > NOTICE_AT
    release(world)
    later(world)
    assert notices(world) == [("card_expiring", "sent")]


def test_a_notice_waits_for_the_morning(make_default_world: MakeWorld) -> None:
    """In the customer's waking hours, by their own time zone."""
    world = make_default_world(policy=Policy())
    renewing(world, country="JP")
    # 09:00 UTC is 18:00 in Tokyo, within the hours; in Honolulu it is the night before.
    assert due_at(world) == NOTICE_AT
    other = subscriber(
        world, card=EXPIRING, email="kai@customer.example", metadata={"tz": "Pacific/Honolulu"}
    )
    rows = {row.customer_id: row.due_at for row in world.rows(models.subscriptions)}
    assert rows[2] == NOTICE_AT.replace(hour=19)
    assert other.inbox == []


@pytest.mark.parametrize("interval", ["month", "year"])
def test_a_paused_customer_is_not_told_before_the_pause_is_over(world: World, interval: str) -> None:
    """Neither of the card nor of the renewal; afterwards there is still time for it, and it is told once."""
    card = EXPIRING if interval == "month" else Card()
    story = renewing(world, card, interval=interval)
    (renewal,) = [row.period_end for row in world.rows(models.subscriptions)]
    advance(story, renewal - timedelta(days=15))
    until = (renewal - timedelta(days=10)).date()
    world.tell(story.customer, Request(Verb.PAUSE, "maria", "they move banks", until=until))
    for before in (14, 12, 10):
        advance(story, renewal - timedelta(days=before))
    assert notices(world) == []
    advance(story, renewal - timedelta(days=9))
    advance(story, renewal - timedelta(days=2))
    assert notices(world) == [("card_expiring" if interval == "month" else "renewal_notice", "sent")]


def test_a_notice_that_waits_to_be_sent_when_the_customer_is_paused_waits_on(world: World) -> None:
    """It was decided a moment before."""
    story = renewing(world)
    world.held = {MAIL}
    advance(story, NOTICE_AT)
    until = (NOTICE_AT + timedelta(days=3)).date()
    world.tell(story.customer, Request(Verb.PAUSE, "maria", "they move banks", until=until))
    world.held = set()
    later(world)
    assert notices(world) == [("card_expiring", "pending")]
    advance(story, NOTICE_AT + timedelta(days=4))
    later(world)
    assert notices(world) == [("card_expiring", "sent")]
