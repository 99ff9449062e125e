"""Revocations come in portions: whoever is over the cap keeps access for now, and is told nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db import models
from dunning.breaker import Limits
from sandbox.stripe import Card, custom_schedule
from tests.scenarios.story import RENEWAL, Story, subscriber
from tests.scenarios.world import World
from tests.worker.breaking import cap, later, let_counts_pass
from worker.usecases.advance_cases import advance_cases

LEFT_TO_US = custom_schedule(30, at_end="past_due")
END = RENEWAL + timedelta(days=14)
HOUR = timedelta(hours=1)
# Two an hour; the day's cap is out of the way.
TWO = Limits(revocations_per_hour=2, revocations_per_day_share=1)


def crowd(world: World, size: int, *, wall: bool = True) -> list[Story]:
    """So many customers who were warned, a moment before their grace ends."""
    people = [
        subscriber(
            world, "insufficient_funds", wall=wall, retries=LEFT_TO_US, email=f"c{number}@customer.example"
        )
        for number in range(size)
    ]
    for day in (0, 11, 13):
        for story in people:
            story.until(day)
    return people


def end(world: World) -> None:
    """Everybody's grace has ended."""
    world.stripe.engine.advance(None, END)
    world.now = END
    world.tick()


def revoked(world: World) -> int:
    return sum(row.level == "revoked" for row in world.rows(models.access))


def kept(world: World) -> list[str]:
    """Why access was kept, once for each line."""
    return [row.reason for row in world.rows(models.journal) if row.kind == "access.kept"]


def test_the_cap_of_an_hour_spreads_them(world: World) -> None:
    """Two now, two in an hour, the last in another; each who waits has one line in their story."""
    crowd(world, 5)
    cap(world, TWO)
    end(world)
    seen = [revoked(world)]
    for _ in range(3):
        later(world)
        seen.append(revoked(world))
        let_counts_pass(world, HOUR)
        later(world)
        seen.append(revoked(world))
    assert seen == [2, 2, 4, 4, 5, 5, 5]
    assert kept(world) == ["the cap of 2 revocations an hour is reached: access is kept for now"] * 3


def test_the_cap_of_a_day_holds_longer(world: World) -> None:
    """A share of those who have access, an hour's worth at least; a day later there is room again."""
    crowd(world, 4)
    cap(world, Limits(revocations_per_hour=1, revocations_per_day_share=0.25))
    end(world)
    seen = []
    for passed in (HOUR, HOUR, timedelta(days=1)):
        seen.append(revoked(world))
        let_counts_pass(world, passed)
        later(world)
    assert seen == [1, 1, 1]
    assert revoked(world) == 2
    assert "the cap of 1 revocations a day is reached: access is kept for now" in kept(world)


@pytest.mark.parametrize("limits", [None, Limits(revocations_per_hour=0)], ids=["off", "no cap"])
def test_without_a_cap_all_go_at_once(world: World, limits: Limits | None) -> None:
    """The control."""
    crowd(world, 5)
    cap(world, limits)
    end(world)
    assert (revoked(world), kept(world)) == (5, [])


def test_workers_at_once_share_the_cap(world: World) -> None:
    """Five workers have asked Stripe and take access in the same moment: two of them may."""
    crowd(world, 5)
    cap(world, TWO)
    world.stripe.engine.advance(None, END)
    world.now = END
    ids = [row.id for row in world.rows(models.customers)]
    world.all_at_once(*(advance_cases(world.services, [row_id]) for row_id in ids))
    assert revoked(world) == 2
    assert len(kept(world)) == 3


def test_stripe_is_not_asked_about_those_who_wait(world: World) -> None:
    """Hundreds who wait for their turn would ask again every few minutes."""
    crowd(world, 4)
    cap(world, TWO)
    end(world)
    asked = len(world.stripe.requests)
    later(world)
    assert len(world.stripe.requests) == asked


def test_who_pays_while_they_wait_keeps_access(world: World) -> None:
    """Their turn never comes."""
    people = crowd(world, 3)
    cap(world, TWO)
    end(world)
    [waiting] = [story for story in people if story.level()[0] == "warned"]
    waiting.pay(Card())
    let_counts_pass(world, HOUR)
    later(world)
    assert waiting.level() == ("full", "good_standing")
    assert revoked(world) == 2


def test_customers_on_test_clocks_are_not_capped_and_do_not_count(world: World) -> None:
    """Three of them go at once, and leave the cap to the customer who lives by the wall clock."""
    for story in crowd(world, 3, wall=False):
        cap(world, Limits(revocations_per_hour=1))
        story.until(14)
    assert revoked(world) == 3
    crowd(world, 1)
    end(world)
    assert (revoked(world), kept(world)) == (4, [])
