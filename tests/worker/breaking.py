"""Tripping and releasing the breaker of a world, and time that passes for what it counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import breaker, models
from dunning.breaker import Limits
from tests.scenarios.world import World
from worker.breaker import watch
from worker.usecases.holding import LOOK_AGAIN

T = TypeVar("T")


def commit(world: World, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Do something in a transaction of its own."""

    async def run() -> T:
        async with world.services.engine.begin() as connection:
            return await work(connection)

    return world.run(run())


def trip(world: World) -> None:
    """Somebody holds everything back."""
    assert commit(world, lambda connection: breaker.trip(connection, "a wrong price list", by="maria"))


def release(world: World) -> None:
    """And lets go of it."""
    assert commit(world, lambda connection: breaker.release(connection, by="maria", why="it is right again"))


def look(world: World, limits: Limits | None) -> bool:
    """A scheduler looks whether too much has failed; whether it tripped the breaker."""
    return world.run(watch(world.services.engine, world.services.nudge, limits))


def later(world: World, passed: timedelta = LOOK_AGAIN) -> None:
    """Time passes, for everybody's clock, and the scheduler looks."""
    world.now += passed
    world.machine_time(passed + timedelta(seconds=1))


def let_counts_pass(world: World, passed: timedelta) -> None:
    """What was counted is older by so much."""

    async def age(connection: AsyncConnection) -> None:
        for table in ("journal", "charges"):
            statement = f"UPDATE {table} SET recorded_at = recorded_at - CAST(:passed AS interval)"  # noqa: S608
            await connection.execute(text(statement), {"passed": passed})

    commit(world, age)


def cap(world: World, limits: Limits | None) -> None:
    """The workers cap revocations from now on."""
    world.services = replace(world.services, limits=limits)


def rows(world: World) -> list[Any]:
    """The breaker's rows."""
    return world.rows(models.breaker)
