"""Imports: how far the takeover of a running business has come, so that it goes on after an interruption."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import RowMapping, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.models import imports

# Any constant of our own.
IMPORT_LOCK = 0x696D706F


@dataclass(frozen=True, slots=True)
class Import:
    """`cursors` by stage: the last object that was applied, or None where the stage is through."""

    id: int
    source: str
    state: str
    started_at: datetime
    beat_at: datetime
    finished_at: datetime | None = None
    cursors: Mapping[str, str | None] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    def is_through(self, stage: str) -> bool:
        return stage in self.cursors and self.cursors[stage] is None


@asynccontextmanager
async def alone(engine: AsyncEngine) -> AsyncIterator[bool]:
    """Whether nobody else imports; nobody does until it is left. The lock ends with its process."""
    async with engine.connect() as connection:
        # Without a transaction, which the server would end for idling.
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        held = text("SELECT pg_try_advisory_lock(:key)")
        ours = (await connection.execute(held, {"key": IMPORT_LOCK})).scalar_one()
        try:
            yield bool(ours)
        finally:
            if ours:
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": IMPORT_LOCK})


async def begin(connection: AsyncConnection, source: str, *, anew: bool = False) -> Import:
    """The import that was interrupted, to go on with; else, or if it is to begin `anew`, another one."""
    running = (imports.c.source == source) & (imports.c.state == "running")
    if anew:
        await connection.execute(update(imports).where(running).values(state="abandoned"))
    found = (await connection.execute(select(imports).where(running))).mappings().one_or_none()
    if found is None:
        made = await connection.execute(insert(imports).values(source=source).returning(imports))
        found = made.mappings().one()
    return _import(found)


async def advance(
    connection: AsyncConnection, run: Import, stage: str, cursor: str | None, counted: Mapping[str, int]
) -> Import:
    """A page of a stage was applied. Call it in the transaction that does."""
    counts = {name: run.counts.get(name, 0) + counted.get(name, 0) for name in {*run.counts, *counted}}
    values = {
        "cursors": {**run.cursors, stage: cursor},
        "counts": counts,
        "beat_at": func.clock_timestamp(),
    }
    return await _update(connection, run, values)


async def finish(connection: AsyncConnection, run: Import) -> Import:
    """Everything was read and applied."""
    clock = func.clock_timestamp()
    return await _update(connection, run, {"state": "finished", "finished_at": clock, "beat_at": clock})


async def _update(connection: AsyncConnection, run: Import, values: Mapping[str, object]) -> Import:
    changed = update(imports).where(imports.c.id == run.id).values(values).returning(imports)
    return _import((await connection.execute(changed)).mappings().one())


async def newest(connection: AsyncConnection, most: int) -> list[Import]:
    """The newest first."""
    rows = await connection.execute(select(imports).order_by(imports.c.id.desc()).limit(most))
    return [_import(row) for row in rows.mappings()]


async def first_began_at(connection: AsyncConnection, source: str) -> datetime | None:
    """When the first import began: what had failed before then had begun before us."""
    wanted = select(func.min(imports.c.started_at)).where(imports.c.source == source)
    began_at: datetime | None = (await connection.execute(wanted)).scalar_one()
    return began_at


def _import(row: RowMapping) -> Import:
    return Import(**row)
