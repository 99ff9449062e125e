"""What the team's part of the API works with: a database it may write to, the rules, the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from console.store import Unavailable
from db import api_keys
from db.passing import passes
from dunning.segments import PolicySource

log = structlog.get_logger()

# Seconds that somebody waits at most, also for a database that does not say a word.
LIMIT = 15.0


@dataclass(frozen=True, slots=True)
class Team:
    """`zone` is the merchant's, `clock` the wall clock."""

    engine: AsyncEngine
    policy: PolicySource
    zone: tzinfo
    clock: Callable[[], datetime]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One moment of the database. Raises Unavailable when it is away."""
        with _away():
            async with asyncio.timeout(LIMIT), self.engine.connect() as connection:
                options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
                yield await connection.execution_options(**options)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end. Raises Unavailable when it is not known to be committed."""
        with _away():
            async with asyncio.timeout(LIMIT), self.engine.begin() as connection:
                yield connection

    async def use_key(self, key_id: int) -> None:
        """Write down that a key is in use; that it could not be is worth a line in the log."""
        try:
            async with self.writing() as connection:
                await api_keys.used(connection, key_id)
        except (Unavailable, SQLAlchemyError) as error:
            log.warning("key.use_not_noted", key_id=key_id, error=type(error).__name__)


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not passes(error):
            raise
        log.warning("database.failed", error=type(error).__name__)
        raise Unavailable(type(error).__name__) from None
