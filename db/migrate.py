"""Bring a database to the newest schema, while everybody else goes on using it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from db import roles, schema
from db.connecting import connect
from db.schema import Schema

log = structlog.get_logger()

# Two `migrate` at once wait for each other on this lock instead of tripping over each other.
MIGRATION_LOCK = 0x64756E6E
CONNECT_LIMIT = 5.0  # seconds
LOOK_EVERY = 0.2  # seconds between two attempts at it

# Milliseconds. Whoever comes after a statement that waits for a table waits as well, so it must give up soon;
# and sooner than the second after which PostgreSQL looks for a deadlock, since it might end the other one.
LOCK_TIMEOUT = "500"
SESSION = {
    "application_name": "dunning-migrate",
    "lock_timeout": LOCK_TIMEOUT,
    "statement_timeout": "0",
    "timezone": "UTC",
}
NEWEST = "head"
TRIES = 60
PAUSE = 1.0  # seconds between two
# PostgreSQL's codes for a lock that was not to be had: given up, a deadlock.
IN_USE = ("55P03", "40P01")


class InUseError(Exception):
    """A table was held by others for as long as it was tried; what was done so far stays done."""


def upgrade(url: str, to: str = NEWEST) -> None:
    """Run every migration the database at `url` has not had yet. Safe to repeat and to run twice at once.

    It may be interrupted anywhere, and goes on from there the next time. Raises InUseError when somebody held
    a table for a minute, and what SQLAlchemy and asyncpg raise. Roles of processes get their rights to what
    is new.
    """
    asyncio.run(_upgrade(url, to))


async def pending(url: str) -> list[str]:
    """Migrations the database has not had yet, oldest first. Empty when it is up to date, or newer."""
    return (await standing(url)).waiting


async def standing(url: str) -> Schema:
    """The schema of the database at `url`."""
    async with _engine(url).connect() as connection:
        return await schema.read(connection)


async def _upgrade(url: str, to: str) -> None:
    engine = _engine(url)
    async with _alone(engine):
        for attempt in range(1, TRIES + 1):
            try:
                await _run(engine, to)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in IN_USE:
                    raise
                if attempt == TRIES:
                    raise InUseError(str(error.orig)) from error
                log.info("migration.waits", attempt=attempt, reason=type(error.orig).__name__)
                await asyncio.sleep(PAUSE)
            else:
                break
        if to == NEWEST:
            async with engine.begin() as connection:
                await roles.apply(connection, make=False)


def _engine(url: str) -> AsyncEngine:
    """Without a limit for a statement: a migration takes as long as it takes."""
    return create_async_engine(
        url,
        poolclass=NullPool,
        connect_args={"async_creator_fn": connect, "timeout": CONNECT_LIMIT, "server_settings": SESSION},
    )


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[None]:
    """Nobody else migrates meanwhile.

    The lock is asked for again and again: an index that is built waits for every statement that runs, so one
    that waited for the lock would be waited for itself. It goes with the connection.
    """
    take = text("SELECT pg_try_advisory_lock(:key)")
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        while not (await connection.execute(take, {"key": MIGRATION_LOCK})).scalar_one():  # noqa: ASYNC110 -- another process has it
            await asyncio.sleep(LOOK_EVERY)
        yield


async def _run(engine: AsyncEngine, to: str) -> None:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.run_sync(_run_migrations, to)


def _run_migrations(connection: Connection, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
