"""Who is alive: each worker and scheduler writes a row every few seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import heartbeats

EVERY = timedelta(seconds=5)
# Three beats missed: the process is gone or stuck.
DEAD_AFTER = timedelta(seconds=20)
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`age` is how long ago the process was last heard of, by the database's clock."""

    process: str
    kind: str
    started_at: datetime
    age: timedelta
    info: Mapping[str, Any]

    @property
    def alive(self) -> bool:
        return self.age < DEAD_AFTER


def kept_too_long(processes: Iterable[Heartbeat]) -> timedelta:
    """For how long content should have been gone (`db.retention`), as a living scheduler has found."""
    told = [
        each.info.get("kept_too_long", 0.0) for each in processes if each.alive and each.kind == "scheduler"
    ]
    return timedelta(seconds=min(told, default=0.0))


async def beat(connection: AsyncConnection, process: str, kind: str, info: Mapping[str, Any]) -> None:
    """Say that `process` (a name of this one start) is alive, and forget those of long ago."""
    statement = insert(heartbeats).values(process=process, kind=kind, info=dict(info))
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["process"], set_={"beat_at": func.clock_timestamp(), "info": dict(info)}
        )
    )
    await connection.execute(
        delete(heartbeats).where(heartbeats.c.beat_at < func.clock_timestamp() - FORGOTTEN_AFTER)
    )


async def stopped(connection: AsyncConnection, process: str) -> None:
    """The process ends on purpose: it is not missing."""
    await connection.execute(delete(heartbeats).where(heartbeats.c.process == process))


async def read(connection: AsyncConnection) -> list[Heartbeat]:
    age = (func.clock_timestamp() - heartbeats.c.beat_at).label("age")
    rows = await connection.execute(
        select(heartbeats, age).order_by(heartbeats.c.kind, heartbeats.c.started_at)
    )
    return [Heartbeat(row.process, row.kind, row.started_at, row.age, row.info) for row in rows]
