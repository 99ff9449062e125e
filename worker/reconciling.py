"""The scheduler's look at whether a reconciliation is due. It has no key of Stripe's: a worker does it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from db import reconciliations
from providers.stripe import SOURCE
from worker.queues import RECONCILE
from worker.services import Nudge


async def hand_out(engine: AsyncEngine, nudge: Nudge) -> list[int]:
    """Wake a worker for what is due and free; the rows (ids). Two schedulers may both do so."""
    async with engine.begin() as connection:
        await reconciliations.ensure(connection, SOURCE)
        due = await reconciliations.due(connection)
    await nudge(RECONCILE, due)
    return due
