"""What counts as a try: only a row that was begun and never ended comes closer to being retired."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from db import models
from db.sweep import MOST_ATTEMPTS
from providers.lookup import Gateway, Lookup, Normalised, Subject
from sandbox.stripe import Fault, custom_schedule
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from worker.queues import EVENTS
from worker.usecases.apply_events import apply_events

HOUR = timedelta(hours=1)
ONCE = custom_schedule(30, at_end="past_due")


class ProcessEndedError(BaseException):
    """Stands for a process that is killed by what it works on."""


class Deadly:
    """Stripe, with answers about single payments that no process survives."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def look_up(self, lookup: Lookup) -> Normalised:
        if lookup.subject is Subject.PAYMENT:
            raise ProcessEndedError
        return await self._gateway.look_up(lookup)

    async def payment_link(self, invoice: str) -> str | None:
        return await self._gateway.payment_link(invoice)

    async def product_name(self, product: str) -> str | None:
        return await self._gateway.product_name(product)


def failing(world: World) -> Story:
    """A renewal has failed and its events are stored, but no worker has heard of them."""
    story = subscriber(world, "insufficient_funds", retries=ONCE)
    world.held = {EVENTS}
    story.until(0)
    world.held = set()
    return story


def statuses(world: World) -> set[str]:
    return {row.status for row in world.rows(models.inbox)}


def hand_out(world: World, times: int) -> list[list[int]]:
    """The messages that the scheduler has sent by the time somebody reads the queue again."""

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
    world.stripe.faults.add(Fault(seconds=0.3, times=5))

    async def play() -> None:
        workers = [asyncio.create_task(apply_events(world.services, ids)) for ids in messages]
        await asyncio.sleep(0)
        await world._look()
        await asyncio.gather(*workers)

    world.run(play())
    world.run(world.drain())

    assert statuses(world) == {"done"}
    assert {row.attempts for row in world.rows(models.inbox)} == {1}
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


def test_an_event_that_kills_its_worker_takes_no_neighbour_with_it(world: World) -> None:
    """What was in a killed worker's hands is taken up one by one, until only the poison is retired."""
    story = failing(world)
    gateway = world.services.gateways["stripe"]
    services = replace(world.services, gateways={"stripe": Deadly(gateway)})
    deadly = {
        row.id
        for row in world.rows(models.inbox)
        if row.type.endswith(("charge.failed", "intent.payment_failed"))
    }

    async def one_life(ids: list[int]) -> None:
        try:
            await apply_events(services, ids)
        except ProcessEndedError:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    for _ in range(3 * MOST_ATTEMPTS):
        for ids in hand_out(world, 1):
            world.run(one_life(ids))

    assert deadly
    assert {row.id for row in world.rows(models.inbox) if row.status == "dead"} == deadly
    assert {row.status for row in world.rows(models.inbox) if row.id not in deadly} == {"done"}
    world.tick()
    assert story.mails() == [(0, "payment_failed 1")]
