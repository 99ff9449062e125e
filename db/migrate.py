"""Bring a database to the newest schema."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from db.connecting import connect

# Two `migrate` at once wait for each other on this lock instead of tripping over each other.
MIGRATION_LOCK = 0x64756E6E
CONNECT_LIMIT = 5.0  # seconds


def upgrade(url: str) -> None:
    """Run every migration the database at `url` has not had yet. Safe to repeat and to run twice at once."""
    asyncio.run(_upgrade(url))


async def _upgrade(url: str) -> None:
    engine = _engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


def _engine(url: str) -> AsyncEngine:
    """Without a limit for a statement: a migration takes as long as it takes."""
    return create_async_engine(
        url, poolclass=NullPool, connect_args={"async_creator_fn": connect, "timeout": CONNECT_LIMIT}
    )


def _run(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


async def pending(url: str) -> list[str]:
    """Migrations the database has not had yet, oldest first. Empty when it is up to date."""
    engine = _engine(url)
    try:
        async with engine.connect() as connection:
            current = await connection.run_sync(
                lambda sync: MigrationContext.configure(sync).get_current_revision()
            )
    finally:
        await engine.dispose()
    script = ScriptDirectory.from_config(_config())
    missing = script.iterate_revisions("head", current or "base")
    return [revision.revision for revision in reversed(list(missing))]
