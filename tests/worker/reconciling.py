"""A world that is reconciled with its Stripe, at the world's time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text, update

from db import models, reconciliations
from db.reconciliations import COMPARISON, EVENTS, Kind, Run
from providers.stripe.listing import PacedApi
from providers.stripe.mirror import StripeMirror
from tests.scenarios.world import START, World
from tests.worker.importing import Moments, pace
from worker.usecases.reconcile import Failed, Reconciling, carry_on, reconcile_each


def tools(world: World, **options: Any) -> Reconciling:
    """As a worker has them; nobody has to wait for his turn. `options` are those of `Reconciling`."""
    api = PacedApi(world.stripe.api_key, pace(20, Moments()), api_base=world.stripe.url)
    mirror = StripeMirror(api, livemode=False)
    return Reconciling(world.services, mirror, ZoneInfo("UTC"), **{"ripe_after": timedelta(0)} | options)


def rows(world: World) -> Mapping[Kind, Run]:
    """Both reconciliations as they stand; made if there were none."""

    async def read() -> Mapping[Kind, Run]:
        async with world.services.engine.begin() as connection:
            await reconciliations.ensure(connection, "stripe")
            return await reconciliations.read(connection, "stripe")

    return world.run(read())


def take(world: World, kind: Kind, since: datetime | None = None, *, anyway: bool = True) -> Run | None:
    """Begin one, or go on with it, as a command does."""
    row = rows(world)[kind]

    async def one() -> Run | None:
        async with world.services.engine.begin() as connection:
            return await reconciliations.take(connection, row.id, anyway=anyway, since=since)

    return world.run(one())


def carry_out(
    world: World, kind: Kind, since: datetime | None = None, *, within: float = math.inf, **options: Any
) -> Failed | None:
    """Carry one out; events from the world's beginning on."""
    run = take(world, kind, since or (START if kind == EVENTS else None))
    assert run is not None, "somebody else is at work"
    return world.run(carry_on(tools(world, **options), run, within=within))


def compare(world: World, **options: Any) -> Mapping[str, int]:
    """Carry out a comparison; its counts."""
    assert carry_out(world, COMPARISON, **options) is None
    return rows(world)[COMPARISON].counts


def fill(world: World) -> Mapping[str, int]:
    """Take in all events of the world; the counts of that."""
    assert carry_out(world, EVENTS) is None
    return rows(world)[EVENTS].counts


def automatic(world: World, *ids: int, **options: Any) -> None:
    """A worker is woken for these rows."""
    mine = tools(world, **options)
    world.run(reconcile_each(world.services, {"stripe": mine}, ids, within=math.inf))


def change(world: World, kind: Kind, **values: Any) -> None:
    """As if time had passed for one of them."""

    async def write() -> None:
        async with world.services.engine.begin() as connection:
            table = models.reconciliations
            await connection.execute(update(table).where(table.c.kind == kind).values(values))

    rows(world)
    world.run(write())


def execute(world: World, statement: str) -> None:
    """Rows as they should not be."""

    async def write() -> None:
        async with world.services.engine.begin() as connection:
            await connection.execute(text(statement))

    world.run(write())


def noted(world: World) -> list[tuple[str, str]]:
    """(kind, status) of every difference that was ever found, in that order."""
    found = world.rows(models.differences, models.differences.c.id, models.differences.c.kind,
                       models.differences.c.status)  # fmt: skip
    return [(row.kind, row.status) for row in sorted(found)]
