"""An import into a world: the real listing over HTTP, at the world's time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from db import imports, models
from db.imports import Import
from providers.pacing import Pace
from providers.stripe.listing import PacedApi, StripeListing
from sandbox.stripe.crowd import RUNS_FOR, running_business
from sandbox.stripe.records import Subscription
from tests.scenarios.world import START, World
from worker.importing import run_import

SWITCHED_ON = START + RUNS_FOR


def crowded(world: World, count: int, *, trouble: float = 0.4) -> list[Subscription]:
    """A business that has run for months, of which nobody has told us."""
    bought = running_business(world.stripe.engine, count, until=SWITCHED_ON, trouble=trouble)
    world.now = SWITCHED_ON
    world.hear()
    return bought


class Moments:
    """Time in which nobody has to wait, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def pace(rate: float, moments: Moments, *, chance: float = 0.5) -> Pace:
    """A pace in that time."""
    return Pace(rate, clock=lambda: moments.now, sleep=moments.sleep, chance=lambda: chance)


def listing_of(world: World) -> StripeListing:
    """All that the world's Stripe has."""
    api = PacedApi(world.stripe.api_key, pace(20, Moments()), api_base=world.stripe.url)
    return StripeListing(api, now=lambda: world.now)


def take_over(world: World, *, between: Callable[[str], None] = lambda stage: None) -> Import:
    """Import everything; `between` is called after each page."""

    async def work() -> Import:
        async with world.services.engine.begin() as connection:
            begun = await imports.begin(connection, "stripe")
        return await run_import(
            world.services, listing_of(world), begun, livemode=False, told=lambda stage, _: between(stage)
        )

    return world.run(work())


# When something was seen last is all that a second reading may change.
LOOKS = {"as_of", "read_at", "good_at", "nonpayment_at", "swept_at"}
KEPT = (
    models.customers, models.subscriptions, models.invoices, models.charges, models.methods, models.cases,
    models.access, models.outbox, models.journal, models.links, models.alarms,
)  # fmt: skip


def kept(world: World) -> dict[str, list[tuple[object, ...]]]:
    """All rows, apart from when they were looked at."""
    return {
        table.name: sorted(
            (tuple(row) for row in world.rows(table, *(c for c in table.c if c.name not in LOOKS))), key=repr
        )
        for table in KEPT
    }


def days(number: float) -> timedelta:
    return timedelta(days=number)
