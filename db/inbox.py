"""The inbox as the worker sees it: rows to apply, rows done, rows retired.

To take a row up counts as a try, since the row may end the process that applies it; to wait for somebody does
not, and neither does a wake-up for a row that is in somebody's hands or rests after a failure.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, any_, bindparam, case, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from db.models import inbox

# Per try, until somebody else has one. The fifth, after which a row is retired, so gets a minute, which is
# what a worker's own time limit gives it.
PATIENCE_PER_TRY = timedelta(seconds=12)
# Doubles with each try: 20, 40, 80, 160, 320.
REST = timedelta(seconds=10)
# Of a row that waits for somebody: a part of the time it has waited, so that one that waits for a day is not
# looked at every few seconds, and one that came just now is.
SHORTEST_WAIT, LONGEST_WAIT = timedelta(seconds=20), timedelta(minutes=5)
PART_WAITED = 1 / 8
# Until `db.sweep` hands out a waiting row once more, by whether somebody has begun with it. Whatever is due
# later than that is in somebody's hands, or rests.
HANDED_OUT = case((inbox.c.attempts == 0, timedelta(seconds=10)), else_=timedelta(seconds=4))

_TAKEN_BACK = func.greatest(inbox.c.attempts - 1, 0)


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One stored event. `payload` is the body exactly as it was signed."""

    id: int
    source: str
    event_id: str
    type: str
    received_at: datetime
    payload: bytes


# As one array, and built once: a statement with a list of values is another for each length of the list.
_AMONG = inbox.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))


def _beginning(which: ColumnElement[bool], most: int | None = None) -> ReturningUpdate[Any]:
    # Not a subquery, which some plans ask again for each row, and get others each time.
    chosen = (
        select(inbox.c.id)
        .where(_AMONG, inbox.c.status == "pending", inbox.c.due_at <= func.clock_timestamp() + HANDED_OUT)
        .where(which)
        .order_by(inbox.c.attempts, inbox.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    names = ("id", "source", "event_id", "type", "received_at", "payload")
    tries = inbox.c.attempts + 1
    return (
        update(inbox)
        .where(inbox.c.id == chosen.c.id)
        .values(attempts=tries, due_at=func.clock_timestamp() + PATIENCE_PER_TRY * tries)
        .returning(*(inbox.c[name] for name in names))
    )


_BEGIN_FRESH = _beginning(inbox.c.attempts == 0)
_BEGIN_AGAIN = _beginning(inbox.c.attempts > 0, most=1)
_LOCK = (
    select(inbox.c.id)
    .where(_AMONG, inbox.c.status == "pending")
    .order_by(inbox.c.id)
    .with_for_update(skip_locked=True)
)
_DONE = update(inbox).where(_AMONG).values(status="done", last_error=None)
_BLANK = update(inbox).where(_AMONG).values(payload=None)


async def take_up(connection: AsyncConnection, ids: Collection[int]) -> list[InboxRow]:
    """Begin with rows among `ids`: all that nobody has begun, or else the least often tried of the others.

    Ask until there are none. A row that may have ended its process comes alone, so that its neighbours are
    not retired with it, and after them, so that they do not wait for its end. Commit before working on them,
    so that each try counts. Keeps no lock.
    """
    fresh = await _begin(connection, _BEGIN_FRESH, ids)
    return fresh or await _begin(connection, _BEGIN_AGAIN, ids)


async def _begin(
    connection: AsyncConnection, statement: ReturningUpdate[Any], ids: Collection[int]
) -> list[InboxRow]:
    rows = await connection.execute(statement, {"ids": list(ids)})
    return sorted((InboxRow(**row) for row in rows.mappings()), key=lambda row: row.id)


async def lock_pending(connection: AsyncConnection, ids: Collection[int]) -> set[int]:
    """The rows among `ids` that are ours to apply in this transaction; somebody else has the others."""
    return {row.id for row in await connection.execute(_LOCK, {"ids": list(ids)})}


async def mark_done(connection: AsyncConnection, ids: Collection[int]) -> None:
    await connection.execute(_DONE, {"ids": list(ids)})


async def blank(connection: AsyncConnection, ids: Collection[int]) -> None:
    """Keep no content of these rows: they were applied, and concern somebody who is to be forgotten."""
    if ids:
        await connection.execute(_BLANK, {"ids": list(ids)})


async def mark_dead(connection: AsyncConnection, row_id: int, error: str) -> None:
    """Retire a poison event: kept with its error, shown, never tried again by itself."""
    await connection.execute(
        update(inbox)
        .where(inbox.c.id == row_id, inbox.c.status == "pending")
        .values(status="dead", last_error=error)
    )


async def mark_ignored(connection: AsyncConnection, row_id: int, note: str) -> None:
    """It concerns nobody we know: kept without its content."""
    await connection.execute(
        update(inbox).where(inbox.c.id == row_id).values(status="ignored", last_error=note, payload=None)
    )


async def note_failure(connection: AsyncConnection, row_id: int, error: str, *, counts: bool) -> None:
    """Keep why a row could not be applied, and let it rest. What was no fault of the row is not counted."""
    await _rest(
        connection,
        row_id,
        error,
        REST * func.power(2, inbox.c.attempts),
        tries=inbox.c.attempts if counts else _TAKEN_BACK,
    )


async def let_wait(connection: AsyncConnection, row_id: int, error: str) -> None:
    """It needs an answer that nobody gives yet: the try is not counted, and the next comes the later the
    longer it has waited.
    """
    waited = func.clock_timestamp() - inbox.c.received_at
    until_next = func.least(func.greatest(waited * PART_WAITED, SHORTEST_WAIT), LONGEST_WAIT)
    await _rest(connection, row_id, error, until_next, tries=_TAKEN_BACK)


async def _rest(connection: AsyncConnection, row_id: int, error: str, rest: Any, *, tries: Any) -> None:
    await connection.execute(
        update(inbox)
        .where(inbox.c.id == row_id, inbox.c.status == "pending")
        .values(last_error=error, attempts=tries, due_at=func.clock_timestamp() + rest)
    )
