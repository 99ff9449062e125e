"""Events that the receiver never stored: found, and stored as it would have."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.intake import Row
from db.models import inbox


async def known(connection: AsyncConnection, source: str, event_ids: Collection[str]) -> set[str]:
    """Which of these are in the inbox, whatever became of them."""
    wanted = inbox.c.source == source, inbox.c.event_id.in_(list(event_ids))
    return set((await connection.execute(select(inbox.c.event_id).where(*wanted))).scalars())


async def fill(connection: AsyncConnection, rows: Sequence[Row]) -> set[str]:
    """Store these; the ids of those that were not there. One that arrives in the same moment stays one."""
    if not rows:
        return set()
    values = [
        {
            "source": row.source,
            "event_id": row.event_id,
            "type": row.type,
            "livemode": row.livemode,
            "created_at": row.created_at,
            "status": row.status,
            "payload": row.payload,
            "due_at": func.clock_timestamp(),
        }
        # Two that store the same events in different orders would deadlock.
        for row in sorted(rows, key=lambda row: row.key)
    ]
    stored = insert(inbox).values(values).on_conflict_do_nothing().returning(inbox.c.event_id)
    return set((await connection.execute(stored)).scalars())
