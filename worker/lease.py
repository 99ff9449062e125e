"""Hold on to a claimed effect for as long as we work on it, however long the other side takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from db import outbox
from db.outbox import Claim

log = structlog.get_logger()


@asynccontextmanager
async def held(
    engine: AsyncEngine, claim: Claim, *, every: timedelta = outbox.RENEW_EVERY
) -> AsyncIterator[None]:
    """Renew the lease while the block runs. A process that is killed, or whose loop is stuck, stops renewing.

    Losing the lease all the same interrupts nobody: the fence keeps the slower one from touching the row.
    """
    keeper = asyncio.create_task(_renew(engine, claim, every.total_seconds()))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])


async def _renew(engine: AsyncEngine, claim: Claim, seconds: float) -> None:
    ours = True
    while ours:
        await asyncio.sleep(seconds)
        try:
            async with engine.begin() as connection:
                ours = await outbox.renew(connection, claim)
        except (SQLAlchemyError, OSError) as error:
            log.warning("lease.not_renewed", step=claim.step, error=type(error).__name__)
