"""Events that were given up: the team is called, looks at them, has them tried once more or puts them away.

Nothing of them is deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import alarms
from db.models import alarms as calls
from db.models import inbox

# As long as there are any, the team hears of them this often.
CALL_EVERY = timedelta(days=1)
# Any constant of our own: of two schedulers, one calls.
CALL_LOCK = 0x64656164

_SHOWN = ("id", "source", "event_id", "type", "received_at", "attempts", "last_error")


@dataclass(frozen=True, slots=True)
class DeadEvent:
    """`attempts` is how often it was tried; `last_error` why it was given up."""

    id: int
    source: str
    event_id: str
    type: str
    received_at: datetime
    attempts: int
    last_error: str | None


async def call_the_team(connection: AsyncConnection) -> bool:
    """Have the team called about all there are now, unless it was within `CALL_EVERY`. True: it will be."""
    events = await connection.scalar(select(func.count()).where(inbox.c.status == "dead"))
    if not events:
        return False
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CALL_LOCK})
    lately = calls.c.raised_at > func.clock_timestamp() - CALL_EVERY
    if await connection.scalar(select(func.count()).where(calls.c.kind == "dead", lately)):
        return False
    await alarms.sound(connection, "dead", 0, {"events": events})
    return True


async def read(connection: AsyncConnection, limit: int) -> list[DeadEvent]:
    """The latest first."""
    found = select(*(inbox.c[name] for name in _SHOWN)).where(inbox.c.status == "dead")
    rows = await connection.execute(found.order_by(inbox.c.id.desc()).limit(limit))
    return [DeadEvent(**row) for row in rows.mappings()]


async def payload(connection: AsyncConnection, event_id: str) -> bytes | None:
    """The body of a dead event, by the provider's id, as it was signed."""
    found = select(inbox.c.payload).where(inbox.c.status == "dead", inbox.c.event_id == event_id)
    return (await connection.execute(found)).scalars().first()


async def retry(connection: AsyncConnection, event_ids: Collection[str] | None) -> Sequence[int]:
    """Let these, or with None all of them, be applied as if they had come now. Returns row ids.

    The scheduler hands them out. Old events do no harm: what is newer is known by its own time.
    """
    return await _settle(connection, event_ids, status="pending", attempts=0, due_at=func.clock_timestamp())


async def discard(connection: AsyncConnection, event_ids: Collection[str], note: str) -> Sequence[int]:
    """Put these away: they are kept and counted no more. `note` says who wants it so, and why."""
    noted = func.concat(note, "; given up for: ", func.coalesce(inbox.c.last_error, "-"))
    return await _settle(connection, event_ids, status="discarded", last_error=noted)


async def _settle(
    connection: AsyncConnection, event_ids: Collection[str] | None, **values: Any
) -> Sequence[int]:
    which = [inbox.c.status == "dead"]
    if event_ids is not None:
        which.append(inbox.c.event_id.in_(list(event_ids)))
    rows = await connection.execute(update(inbox).where(*which).values(**values).returning(inbox.c.id))
    return sorted(row.id for row in rows)
