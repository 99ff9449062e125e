"""What counts as a try: only a row that was begun and never ended comes closer to being retired."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from db import inbox, models
from db.sweep import MOST_ATTEMPTS
from sandbox.stripe import Fault, custom_schedule
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from worker.queues import EVENTS
from worker.usecases.apply_events import apply_events

HOUR = timedelta(hours=1)
ONCE = custom_schedule(30, at_end="past_due")


def failing(world: World) -> Story:
    """A renewal has failed and its events are stored, but no worker has heard of them."""
    story = subscriber(world, "insufficient_funds", retries=ONCE)
    world.held = {EVENTS}
    story.until(0)
    world.held = set()
    return story


def pending(world: World) -> list[int]:
    return sorted(row.id for row in world.rows(models.inbox) if row.status == "pending")


def statuses(world: World) -> set[str]:
    return {row.status for row in world.rows(models.inbox)}


def hand_out(world: World, times: int) -> list[list[int]]:
    """The messages that a scheduler has sent by the time somebody reads the queue again."""

    async def look() -> None:
        await world.stage.let_pass(HOUR)
        await world._look()

    for _ in range(times):
        world.run(look())
    messages = [ids for wakeup, ids in world.queue if wakeup is EVENTS]
    world.queue.clear()
    return messages


def test_many_wake_ups_at_once_are_one_try(world: World) -> None:
    """The workers come back to a queue that speaks of the same rows again and again, and Stripe is slow.

    Meanwhile the scheduler looks: nothing is retired in the hands of those who work on it.
    """
    story = failing(world)
    messages = hand_out(world, 2 * MOST_ATTEMPTS)
    world.stripe.faults.add(Fault(delay=0.5, times=100))

    async def play() -> None:
        workers = [asyncio.create_task(apply_events(world.services, ids)) for ids in messages]
        await asyncio.sleep(0.2)
        await world._look()
        await asyncio.gather(*workers)

    world.run(play())
    world.machine_time(HOUR)

    assert statuses(world) == {"done"}
    assert story.mails() == [(0, "payment_failed 1")]


def test_a_queue_full_of_wake_ups_does_not_use_up_the_tries_of_a_row(world: World) -> None:
    """Stripe answers nonsense for a moment: whoever comes next leaves the row alone until it has rested."""
    story = failing(world)
    messages = hand_out(world, 2 * MOST_ATTEMPTS)
    world.stripe.faults.add(Fault(status=400, times=100_000))
    for ids in messages:
        world.run(apply_events(world.services, ids))
    assert {row.attempts for row in world.rows(models.inbox) if row.status == "pending"} == {1}

    world.stripe.faults.clear()
    world.machine_time(HOUR)
    assert statuses(world) == {"done"}
    assert story.mails() == [(0, "payment_failed 1")]


def test_a_row_that_kills_its_worker_takes_no_neighbour_with_it(world: World) -> None:
    """Rows that were in a killed worker's hands are taken up one by one, until only the poison is retired."""
    failing(world)
    poison, *innocent = pending(world)

    async def one_life() -> None:
        """A worker is handed everything and is killed as soon as it begins with the poison."""
        engine = world.services.engine
        async with engine.begin() as connection:
            batch = await inbox.take_up(connection, [poison, *innocent])
            again = await inbox.begun_before(connection, [poison, *innocent])
        if poison in {row.id for row in batch}:
            return
        for row_id in again:
            if row_id == poison:
                async with engine.begin() as connection:
                    await inbox.take_up(connection, [row_id], again=True)
                return
            await apply_events(world.services, [row_id])

    for _ in range(MOST_ATTEMPTS):
        world.run(one_life())
        world.run(world.stage.let_pass(HOUR))
    hand_out(world, 1)

    found = {row.id: row.status for row in world.rows(models.inbox) if row.id in (poison, *innocent)}
    assert found == {poison: "dead"} | dict.fromkeys(innocent, "pending")
    world.machine_time(HOUR)
    assert {row.status for row in world.rows(models.inbox) if row.id in innocent} == {"done"}
