"""The database was brought back from a backup: write down what is doubtful, and look for what is lost."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, journal, reconciliations, restores
from db.journal import Entry
from db.restores import MAYBE_SENT
from dunning.restoring import Gap


async def restored(connection: AsyncConnection, gap: Gap, by: str) -> int:
    """Call it before any process is started again; how many effects that waited are doubtful.

    Those that are decided later get the same answer from `worker.usecases.enact`.
    """
    await restores.add(connection, gap, by)
    waiting = await restores.give_up_waiting(connection, gap.doubtful)
    entries = [
        Entry(row.customer_id, gap.ended_at, f"{row.kind}.unknown", MAYBE_SENT, row.case, {"step": row.step})
        for row in waiting
    ]
    await journal.write(connection, entries)
    for row in waiting:
        await accounts.look_again(connection, [(row.customer_id, row.case, gap.ended_at)])
    await reconciliations.look_back(connection, gap.began_at)
    return len(waiting)
