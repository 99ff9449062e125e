"""What the team is called about that is no customer's case: at least once on every channel.

All times are the database's clock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import alarms

# A call that nobody took is made again after this long.
CALL_AGAIN = timedelta(minutes=2)

Kind = Literal["breaker", "dead", "endpoint", "import", "differences", "closed"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """`subject` is the row it is about, 0 where it is about many; `facts` is what its words are made of.

    `called` is who has heard it.
    """

    id: int
    kind: Kind
    subject: int
    facts: Mapping[str, Any]
    raised_at: datetime
    called: tuple[str, ...]


_STANDS: ColumnElement[bool] = and_(alarms.c.called_at.is_(None), alarms.c.withdrawn_at.is_(None))


async def sound(connection: AsyncConnection, kind: Kind, subject: int, facts: Mapping[str, Any]) -> None:
    """Have the team called about this from the commit on."""
    await connection.execute(insert(alarms).values(kind=kind, subject=subject, facts=dict(facts)))


async def withdraw(connection: AsyncConnection, kind: Kind, subject: int) -> None:
    """Nobody who has not heard of it needs to any more."""
    about = and_(alarms.c.kind == kind, alarms.c.subject == subject)
    await connection.execute(update(alarms).where(about, _STANDS).values(withdrawn_at=func.clock_timestamp()))


async def due(connection: AsyncConnection) -> list[int]:
    """The rows the team has yet to be called about."""
    rows = await connection.execute(
        select(alarms.c.id)
        .where(_STANDS, alarms.c.due_at <= func.statement_timestamp())
        .order_by(alarms.c.id)
    )
    return [row.id for row in rows]


async def take(connection: AsyncConnection, row_id: int) -> Alarm | None:
    """Make the call ours for `CALL_AGAIN`. None: it was made, it is somebody else's, or it was withdrawn."""
    clock = func.clock_timestamp()
    taken = await connection.execute(
        update(alarms)
        .where(alarms.c.id == row_id, _STANDS, alarms.c.due_at <= clock)
        .values(due_at=clock + CALL_AGAIN)
        .returning(alarms)
    )
    row = taken.one_or_none()
    if row is None:
        return None
    return Alarm(row.id, row.kind, row.subject, row.facts, row.raised_at, tuple(row.called))


async def note(
    connection: AsyncConnection, row_id: int, channels: Collection[str], *, complete: bool
) -> None:
    """These channels, and with `complete` all there are, have had their call."""
    values = {"called": sorted(channels), "called_at": func.clock_timestamp() if complete else None}
    await connection.execute(update(alarms).where(alarms.c.id == row_id).values(values))
