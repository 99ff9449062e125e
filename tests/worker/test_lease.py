"""A claimed effect stays with the process that works on it, and with no other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from db import outbox
from db.models import customers
from db.models import outbox as table
from db.outbox import Claim, NewEffect
from dunning.steps import Kind
from worker.lease import held

OFTEN = timedelta(milliseconds=10)
DEADLINE = 10.0  # seconds


def with_an_effect(database_url: str, scene: Callable[[AsyncEngine, int], Awaitable[None]]) -> None:
    """Play a scene with one mail that waits to be sent."""

    async def play() -> None:
        engine = create_async_engine(database_url, poolclass=NullPool)
        async with engine.begin() as connection:
            effect = await _mail(connection)
        await scene(engine, effect)
        await engine.dispose()

    asyncio.run(play())


async def _mail(connection: AsyncConnection) -> int:
    added = await connection.execute(
        insert(customers).values(source="stripe", ref="cus_1").returning(customers.c.id)
    )
    effect = NewEffect(
        customer_id=added.scalar_one(),
        case="in_1",
        step="payment_failed:in_1:1",
        kind=Kind.MAIL,
        name="payment_failed",
        channel="mail",
        reason="charge 1 failed",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    (row,) = await outbox.add(connection, [effect])
    return row


async def claimed(engine: AsyncEngine, effect: int) -> Claim | None:
    """The effect, if it can be had."""
    async with engine.begin() as connection:
        return await outbox.claim(connection, effect)


async def let_it_run_out(engine: AsyncEngine) -> None:
    """All the time a lease lasts passes at once."""
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE outbox SET lease_until = clock_timestamp() - interval '1 second'")
        )


async def is_running(engine: AsyncEngine) -> bool:
    """Whether the lease has time left."""
    async with engine.connect() as connection:
        left = await connection.execute(select(table.c.lease_until > text("clock_timestamp()")))
        return bool(left.scalar_one())


async def until_running(engine: AsyncEngine) -> None:
    """Wait for the lease to be renewed."""
    deadline = time.monotonic() + DEADLINE
    while not await is_running(engine):
        assert time.monotonic() < deadline, "the lease was not renewed"
        await asyncio.sleep(0.01)


def test_a_lease_is_renewed_while_somebody_works(database_url: str) -> None:
    """However often it runs out, whoever holds on to it keeps it, and nobody else gets the effect."""

    async def scene(engine: AsyncEngine, effect: int) -> None:
        claim = await claimed(engine, effect)
        assert claim
        async with held(engine, claim, every=OFTEN):
            for _ in range(3):
                await let_it_run_out(engine)
                await until_running(engine)
            assert await claimed(engine, effect) is None

    with_an_effect(database_url, scene)


def test_a_lease_ends_with_the_work(database_url: str) -> None:
    """When the block is left, by an error too, the lease runs out and the effect can be had again."""

    async def scene(engine: AsyncEngine, effect: int) -> None:
        claim = await claimed(engine, effect)
        assert claim
        with pytest.raises(RuntimeError):
            async with held(engine, claim, every=OFTEN):
                raise RuntimeError
        await let_it_run_out(engine)
        again = await claimed(engine, effect)
        assert again
        assert again.fence == claim.fence + 1

    with_an_effect(database_url, scene)


def test_a_lost_lease_is_not_taken_back(database_url: str) -> None:
    """Whoever slept through it may not renew: the effect is somebody else's now."""

    async def scene(engine: AsyncEngine, effect: int) -> None:
        late = await claimed(engine, effect)
        await let_it_run_out(engine)
        now = await claimed(engine, effect)
        assert late
        assert now
        async with engine.begin() as connection:
            assert not await outbox.renew(connection, late)
            assert await outbox.renew(connection, now)

    with_an_effect(database_url, scene)
