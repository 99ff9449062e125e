"""Workers and schedulers begin when the database is there and has the schema that they were written for.

Beginning earlier would be worse than waiting: every event would fail, and count as having been tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db import schema
from db.schema import Schema
from db.session import create_engine

log = structlog.get_logger()

# Seconds: between two looks, for one look, and between two lines in the log about the same.
EVERY = 1.0
LOOK_WITHIN = 5.0
SAID_EVERY = 30.0


async def until_ready(url: str, stopped: Callable[[], bool]) -> bool:
    """Wait for the database at `url`. False: the process was stopped before it was there."""
    clock = asyncio.get_running_loop().time
    say_at = 0.0
    engine = create_engine(url, name="start", pool_size=1)
    try:
        while not stopped():
            event, facts = await _trouble(engine)
            if event is None:
                return True
            if clock() >= say_at:
                log.warning(event, **facts)
                say_at = clock() + SAID_EVERY
            await asyncio.sleep(EVERY)
    finally:
        await engine.dispose()
    return False


async def _trouble(engine: AsyncEngine) -> tuple[str | None, Mapping[str, str]]:
    """What has to be waited for, as a log event with its fields; None: nothing."""
    try:
        found = await _look(engine)
    except Exception as error:
        # While it connects, asyncpg's own errors come through, which have no common class but Exception.
        return "database.unreachable", {"error": type(error).__name__}
    if found.standing == "ahead":
        log.warning("schema.ahead", database=found.revision, known=schema.HEAD)
    if found.standing != "behind":
        return None, {}
    return "schema.behind", {
        "database": found.revision or "never migrated",
        "needed": schema.HEAD,
        "cure": "Run `dunning migrate` of this version.",
    }


async def _look(engine: AsyncEngine) -> Schema:
    async with asyncio.timeout(LOOK_WITHIN), engine.connect() as connection:
        return await schema.read(connection)
