"""Each entry of the journal is read once, however late it is committed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import journal
from db.journal import Entry
from db.tail import LATEST, Tail
from tests.db.conftest import Database
from tests.db.rows import customer_row

AT = datetime(2026, 1, 5, tzinfo=UTC)


async def told(engine: AsyncEngine, tail: Tail) -> list[str | None]:
    """The reasons of what is new."""
    async with engine.connect() as connection:
        return [line.reason for line in await tail.read(connection)]


async def write(connection: AsyncConnection, customer: int, *reasons: str) -> None:
    """Entries that tell themselves apart by their reason."""
    await journal.write(connection, [Entry(customer, AT, "event.applied", reason) for reason in reasons])


def test_what_was_committed_late_is_read_all_the_same(database: Database) -> None:
    """It has a lower number than what was read before. And nothing is read twice, however late."""
    now = 0.0

    async def story(engine: AsyncEngine) -> list[list[str | None]]:
        nonlocal now
        tail = Tail(lambda: now)
        async with engine.begin() as connection:
            customer = await customer_row(connection)
            await write(connection, customer, "before")
        looks = [await told(engine, tail)]
        async with engine.begin() as slow:
            await write(slow, customer, "slow")
            async with engine.begin() as quick:
                await write(quick, customer, "quick", "too")
            looks.append(await told(engine, tail))
        for passed in (10, LATEST.total_seconds() + 1, 10):
            looks.append(await told(engine, tail))
            now += passed
        async with engine.begin() as connection:
            await write(connection, customer, "later")
        return [*looks, await told(engine, tail), await told(engine, tail)]

    assert database.play(story) == [[], ["quick", "too"], ["slow"], [], [], ["later"], []]


def test_a_burst_is_read_in_portions(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is skipped where more has come than one answer holds."""

    async def story(engine: AsyncEngine) -> list[int]:
        tail = Tail(lambda: 0.0)
        async with engine.begin() as connection:
            customer = await customer_row(connection)
        await told(engine, tail)
        async with engine.begin() as connection:
            await write(connection, customer, *map(str, range(7)))
        return [len(await told(engine, tail)) for _ in range(4)]

    monkeypatch.setattr("db.tail.MOST", 3)
    assert database.play(story) == [3, 3, 1, 0]
