"""The scheduler's look at whether a reconciliation is due. Workers, which have the keys, say with whom."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from db import reconciliations
from worker.queues import RECONCILE
from worker.services import Nudge


async def hand_out(engine: AsyncEngine, nudge: Nudge) -> list[int]:
    """Wake a worker for what is due and free; the rows (ids). Two schedulers may both do so."""
    async with engine.connect() as connection:
        due = await reconciliations.due(connection)
    await nudge(RECONCILE, due)
    return due
