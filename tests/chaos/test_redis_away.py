"""F14: actors raise while Redis is away, and cannot even say so: Dramatiq alone loses those messages."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import models
from sandbox.valkey import embedded_valkey
from tests.chaos.conftest import Tell
from tests.chaos.crowd import ALL_RUN_OUT, Crowd
from tests.chaos.workers import until, workers
from tests.scenarios.world import World
from worker.queues import EVENTS

MESSAGES = 8
# Seconds that Redis is away; the longer one is more than anybody goes on trying.
SHORT, LONG = 1.0, 22.0
HELD = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'inbox'::regclass")


def test_what_failed_while_redis_was_away_is_done_when_it_is_back(
    world: World, tmp_path: Path, long: bool, tell: Tell
) -> None:
    """Eight actors wait for a table that is locked; Redis ends, the table goes, and all eight raise."""
    crowd = Crowd(world, MESSAGES, on_clock=True)
    crowd.fail(EVENTS)
    rows = crowd.unheard()
    engine = world.services.engine

    with embedded_valkey() as redis, workers(world, redis.url, tmp_path) as some:
        some.start("--threads", str(MESSAGES))

        table = world.run(_locked(engine))
        for each in rows:
            some.wake(EVENTS, each)
        until(lambda: world.run(_waiting(engine)) >= MESSAGES, "eight actors wait")
        redis.kill()
        world.run(_taken_away(table))
        until(lambda: some.said("UndefinedTable") >= MESSAGES, "all eight have raised")
        time.sleep(LONG if long else SHORT)
        redis.start()
        world.run(_given_back(engine))
        world.run(world.stage.let_pass(ALL_RUN_OUT))
        some.look()
        until(lambda: not world.unfinished(), "all is applied")
    lost = sum(row.status != "done" for row in world.rows(models.inbox))
    tell("F14", raised=MESSAGES, away_seconds=LONG if long else SHORT, lost=lost)
    assert lost == 0


async def _locked(engine: AsyncEngine) -> AsyncConnection:
    connection = await engine.connect()
    await connection.execute(text("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE"))
    return connection


async def _waiting(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(HELD)).scalar_one())


async def _taken_away(table: AsyncConnection) -> None:
    """Whoever waits for it finds that there is none."""
    await table.execute(text("ALTER TABLE inbox RENAME TO inbox_away"))
    await table.commit()
    await table.close()


async def _given_back(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE inbox_away RENAME TO inbox"))
