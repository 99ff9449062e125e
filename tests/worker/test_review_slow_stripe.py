"""Stripe is slow, silent or turns us away: events wait, and none of them is worse off for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from db import models
from providers.lookup import Gateway, Lookup, Normalised
from sandbox.stripe import Fault, custom_schedule
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from worker import lookups
from worker.queues import CASES, EVENTS
from worker.usecases.advance_cases import advance_cases
from worker.usecases.apply_events import apply_events

ONCE = custom_schedule(30, at_end="past_due")


class Silent:
    """Stripe, but no lookup is ever answered."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def look_up(self, lookup: Lookup) -> Normalised:
        await asyncio.Event().wait()
        raise AssertionError

    async def payment_link(self, invoice: str) -> str | None:
        return await self._gateway.payment_link(invoice)

    async def product_name(self, product: str) -> str | None:
        return await self._gateway.product_name(product)


def failing(world: World) -> Story:
    """A renewal has failed and its events are stored, but no worker has heard of them."""
    story = subscriber(world, "expired_card", retries=ONCE)
    world.held = {EVENTS}
    story.until(0)
    world.held = set()
    return story


def pending(world: World) -> list[int]:
    return sorted(row.id for row in world.rows(models.inbox) if row.status == "pending")


def test_a_silent_stripe_costs_no_event_a_try(world: World) -> None:
    """All questions of a message end before its actor's time does; its events wait, uncounted."""
    story = failing(world)
    services = replace(world.services, gateways={"stripe": Silent(world.services.gateways["stripe"])})

    async def play() -> None:
        async with asyncio.timeout(10):
            await apply_events(services, pending_rows, within=0.2)

    pending_rows = pending(world)
    world.run(play())
    waiting = [row for row in world.rows(models.inbox) if row.status == "pending"]
    assert waiting
    assert {(row.attempts, row.last_error) for row in waiting} == {(0, "provider unavailable: TimeoutError")}

    world.machine_time(timedelta(hours=1))
    assert story.mails() == [(0, "payment_failed 1")]
    assert "has expired" in story.text()


def test_events_from_a_long_outage_wait_for_their_reason_when_stripe_slows_us_down(world: World) -> None:
    """Hours old, all asked about at once: to be told to slow down is no reason to do without an answer."""
    story = failing(world)
    world.now += timedelta(hours=3)
    world.stripe.faults.add(Fault(status=429, times=100_000))
    world.run(apply_events(world.services, pending(world)))
    world.stripe.faults.clear()
    world.machine_time(timedelta(hours=1))

    assert story.mails() == [(0, "payment_failed 1")]
    assert "has expired" in story.text()


def test_who_had_no_turn_was_not_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours old, and all the time goes by with the first question: the others are asked the next time."""
    monkeypatch.setattr(lookups, "CONCURRENT", 1)
    failing(world)
    world.now += timedelta(hours=3)
    asking = pending(world)
    services = replace(world.services, gateways={"stripe": Silent(world.services.gateways["stripe"])})
    world.run(apply_events(services, asking, within=0.2))

    waiting = [row for row in world.rows(models.inbox) if row.status == "pending"]
    assert {(row.attempts, row.last_error) for row in waiting} == {(0, "provider unavailable: TimeoutError")}


def test_a_silent_stripe_holds_up_nobodys_mails(world: World) -> None:
    """Some customers' access is due to be taken and cannot be confirmed; the one behind them is mailed."""
    lapsed = [
        subscriber(
            world, *["insufficient_funds"] * 4, email=f"{name}@customer.example", retries=ONCE, wall=True
        )
        for name in ("ada", "bob")
    ]
    lapsed[-1].until(13)
    world.stripe.engine.advance(None, lapsed[-1].renewal + timedelta(days=14))
    world.now = lapsed[-1].renewal + timedelta(days=14)
    late = subscriber(world, "expired_card", email="eve@customer.example", retries=ONCE, start=world.now)
    world.held = {CASES}
    late.until(11)
    world.held = set()
    services = replace(world.services, gateways={"stripe": Silent(world.services.gateways["stripe"])})

    async def play() -> None:
        async with asyncio.timeout(10):
            await advance_cases(services, everybody, within=0.2)

    everybody = sorted(row.id for row in world.rows(models.customers))
    world.run(play())
    world.run(world.drain())

    assert [story.level()[0] for story in lapsed] == ["warned"] * 2
    assert [what for _, what in late.mails()] == ["payment_failed 1", "final_warning 72h"]
