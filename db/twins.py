"""Two events that tell one fact under different ids: whichever is applied first stands for both."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.intake import Key

# Without its content, which its twin has told. The receiver then answers the event itself as a duplicate.
_STAND_IN = text(
    """
    INSERT INTO inbox (source, event_id, type, livemode, created_at, status, last_error)
    SELECT i.source, t.twin, replace(i.type, 'v1.', ''), i.livemode, i.created_at, 'ignored',
           'told by ' || i.event_id
      FROM unnest(CAST(:ids AS bigint[]), CAST(:twins AS text[])) AS t (id, twin)
      JOIN inbox i ON i.id = t.id
     ORDER BY i.source, t.twin
        ON CONFLICT DO NOTHING
    RETURNING source, event_id
    """
)


async def stand_in(connection: AsyncConnection, twins: Mapping[int, Key]) -> set[int]:
    """Note of the events (keys) whose twins these rows (ids) are that they have been told.

    Returns the rows whose twin is in the inbox already, and tells it by itself.
    """
    if not twins:
        return set()
    names = [event_id for _, event_id in twins.values()]
    rows = await connection.execute(_STAND_IN, {"ids": list(twins), "twins": names})
    stored = {(row.source, row.event_id) for row in rows}
    return {row_id for row_id, key in twins.items() if key not in stored}
