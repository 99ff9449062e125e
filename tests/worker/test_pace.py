"""A scheduler's pace: after a full batch it hands on as soon as a queue has room, not only a tick later."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import redis

from db.sweep import BATCH
from settings.urls import for_asyncpg
from tests.sandbox.machine import until
from tests.worker.process import PATIENCE, process
from worker.lengths import waiting
from worker.queues import ENOUGH_WAITING, IDS_PER_MESSAGE

# Of events that nobody was woken for, which are more than two batches.
BACKLOG = """
    INSERT INTO inbox (source, event_id, type, livemode, status, due_at, payload)
    SELECT 'stripe', 'evt_' || n, 'invoice.paid', false, 'pending', now() - interval '1 hour', '{}'
    FROM generate_series(1, $1::integer) n
"""
NEVER = "60"  # seconds: the longest there is


def test_a_backlog_is_handed_out_as_fast_as_there_is_room(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """Two batches within one tick; the second waits until what was handed out before has been taken up."""

    async def store() -> None:
        connection = await asyncpg.connect(for_asyncpg(database_url))
        await connection.execute(BACKLOG, 2 * BATCH + 1)
        await connection.close()

    asyncio.run(store())
    settings = {"DUNNING_TICK_SECONDS": NEVER}
    with (
        process("scheduler", tmp_path, database_url, redis_url, **settings),
        redis.Redis.from_url(redis_url) as client,
    ):
        for _ in range(2):
            until(lambda: waiting(client)["events"] > 0, PATIENCE, "a batch to be handed out")
            until(lambda: waiting(client)["events"] >= BATCH // IDS_PER_MESSAGE, PATIENCE, "all of it")
            assert waiting(client)["events"] == BATCH // IDS_PER_MESSAGE >= ENOUGH_WAITING
            client.flushdb()
