"""Hold on to something claimed for as long as we work on it, however long the other side takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import outbox
from db.outbox import Claim

log = structlog.get_logger()

Renew = Callable[[AsyncConnection], Awaitable[bool]]


@asynccontextmanager
async def held(
    engine: AsyncEngine, *claims: Claim, every: timedelta = outbox.RENEW_EVERY
) -> AsyncIterator[None]:
    """Renew the leases of claimed effects while the block runs: see `renewed`."""
    what = claims[0].step
    async with renewed(engine, lambda connection: outbox.renew(connection, *claims), what, every=every):
        yield


@asynccontextmanager
async def renewed(engine: AsyncEngine, renew: Renew, what: str, *, every: timedelta) -> AsyncIterator[None]:
    """Renew a lease while the block runs. A process that is killed, or whose loop is stuck, stops renewing.

    Losing the lease all the same interrupts nobody: the fence keeps the slower one from touching the row.
    """
    keeper = asyncio.create_task(_renew(engine, renew, what, every.total_seconds()))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])


async def _renew(engine: AsyncEngine, renew: Renew, what: str, seconds: float) -> None:
    ours = True
    while ours:
        await asyncio.sleep(seconds)
        try:
            async with engine.begin() as connection:
                ours = await renew(connection)
        except (SQLAlchemyError, OSError) as error:
            log.warning("lease.not_renewed", step=what, error=type(error).__name__)
