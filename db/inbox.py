"""The inbox as the worker sees it: rows to apply, rows done, rows retired."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import inbox

# Per try, until somebody else has one. The fifth, after which a row is retired, so gets a minute, which is
# what a worker's own time limit gives it.
PATIENCE_PER_TRY = timedelta(seconds=12)


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One stored event. `payload` is the body exactly as it was signed."""

    id: int
    source: str
    event_id: str
    type: str
    received_at: datetime
    payload: bytes


async def take_up(connection: AsyncConnection, ids: Sequence[int]) -> list[InboxRow]:
    """The rows among `ids` that still wait, oldest first, with a try counted for each.

    Commit before working on them, so that a row which kills the process is counted too. Keeps no lock, but
    the sweep leaves them alone for a while: many wake-ups for one row must not look like as many failures.
    """
    waiting = (
        select(inbox.c.id)
        .where(inbox.c.id.in_(ids), inbox.c.status == "pending")
        .order_by(inbox.c.id)
        .with_for_update(skip_locked=True)
    )
    rows = await connection.execute(
        update(inbox)
        .where(inbox.c.id.in_(waiting))
        .values(
            attempts=inbox.c.attempts + 1,
            due_at=func.greatest(
                inbox.c.due_at, func.clock_timestamp() + PATIENCE_PER_TRY * (inbox.c.attempts + 1)
            ),
        )
        .returning(
            inbox.c.id, inbox.c.source, inbox.c.event_id, inbox.c.type, inbox.c.received_at, inbox.c.payload
        )
    )
    return sorted((InboxRow(**row) for row in rows.mappings()), key=lambda row: row.id)


async def lock_pending(connection: AsyncConnection, ids: Collection[int]) -> set[int]:
    """The rows among `ids` that are ours to apply in this transaction; somebody else has the others."""
    rows = await connection.execute(
        select(inbox.c.id)
        .where(inbox.c.id.in_(list(ids)), inbox.c.status == "pending")
        .order_by(inbox.c.id)
        .with_for_update(skip_locked=True)
    )
    return {row.id for row in rows}


async def mark_done(connection: AsyncConnection, ids: Collection[int]) -> None:
    await connection.execute(
        update(inbox).where(inbox.c.id.in_(list(ids))).values(status="done", last_error=None)
    )


async def mark_dead(connection: AsyncConnection, row_id: int, error: str) -> None:
    """Retire a poison event: kept with its error, shown, never tried again by itself."""
    await connection.execute(
        update(inbox)
        .where(inbox.c.id == row_id, inbox.c.status == "pending")
        .values(status="dead", last_error=error)
    )


async def note_failure(connection: AsyncConnection, row_id: int, error: str, *, counts: bool) -> None:
    """Keep why a row could not be applied. A try that failed for want of a provider is not counted."""
    attempts = inbox.c.attempts if counts else func.greatest(inbox.c.attempts - 1, 0)
    await connection.execute(
        update(inbox)
        .where(inbox.c.id == row_id, inbox.c.status == "pending")
        .values(last_error=error, attempts=attempts)
    )
