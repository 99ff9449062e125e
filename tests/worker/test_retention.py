"""When a scheduler takes away what was kept for long enough: once an hour, at once while there is more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.retention import Keep
from tests.db.conftest import Database, database
from worker.retention import EVERY, WHILE_THERE_IS_MORE, Retention

__all__ = ["database"]

KEEP = Keep(timedelta(days=60), *[timedelta(days=30)] * 4)
OLD = """
    INSERT INTO inbox (source, event_id, type, livemode, status, due_at, payload)
    SELECT 'stripe', 'evt_' || n, 'invoice.paid', false, 'done', clock_timestamp() - interval '31 days', 'x'
    FROM generate_series(1, 5) n
"""


def test_a_backlog_is_worked_off_at_once_and_then_it_rests_for_an_hour(database: Database) -> None:
    """Two rows a second here; the next look is an hour after the last. What is late is known meanwhile."""
    now = 0.0
    kept = Retention(KEEP, lambda: now, batch=2)

    async def story(engine: AsyncEngine) -> list[tuple[float, int, bool]]:
        nonlocal now

        async def left() -> int:
            async with engine.begin() as connection:
                query = "SELECT count(*) FROM inbox WHERE payload IS NOT NULL"
                return int((await connection.execute(text(query))).scalar_one())

        async def fill() -> None:
            async with engine.begin() as connection:
                await connection.execute(text(OLD))

        await fill()
        seen = []
        for step in (0, 0.5, WHILE_THERE_IS_MORE / 2, WHILE_THERE_IS_MORE, EVERY - 1):
            now += step
            await kept.look(engine)
            seen.append((now, await left(), kept.late is not None))
        return seen

    assert database.play(story) == [
        (0.0, 3, True),
        (0.5, 3, True),
        (1.0, 1, True),
        (2.0, 0, False),
        (2.0 + EVERY - 1, 0, False),
    ]
