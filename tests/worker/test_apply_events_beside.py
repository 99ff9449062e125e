"""Somebody else comes for an event that has just been taken up, and holds its row for a moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from db import models
from providers.lookup import Lookup, Normalised
from tests.scenarios.world import World
from tests.worker.test_apply_events import failing, keep, statuses
from worker.usecases.apply_events import apply_events

A_LOOK = 0.03  # seconds


class Beside:
    """Stripe, and whoever looks for rows to take up while it is asked for the first time."""

    def __init__(self, world: World) -> None:
        self._world, self._stripe = world, world.services.gateways["stripe"]
        self.look: asyncio.Task[None] | None = None

    async def look_up(self, lookup: Lookup) -> Normalised:
        said = await self._stripe.look_up(lookup)
        if self.look is None:
            held = asyncio.Event()
            self.look = asyncio.create_task(self._hold(held))
            await held.wait()
        return said

    async def _hold(self, held: asyncio.Event) -> None:
        async with self._world.services.engine.begin() as connection:
            await connection.execute(select(models.inbox.c.id).with_for_update())
            held.set()
            await asyncio.sleep(A_LOOK)


def test_a_row_that_is_looked_at_by_another_is_not_left_for_later(world: World) -> None:
    """It was ours already, and nobody else will apply it before it is handed out anew."""
    _, events = failing(world)
    ids, beside = keep(world, events), Beside(world)
    stripe: Any = beside
    services = replace(world.services, gateways={"stripe": stripe})

    async def run() -> None:
        await apply_events(services, ids)
        assert beside.look is not None
        await beside.look

    world.run(run())
    assert set(statuses(world)) == {"done"}
