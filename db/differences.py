"""Where the provider says something else than we know: since when, and what was done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import differences
from dunning.differing import Difference

# The same is not told twice within a day.
TOLD_AGAIN = timedelta(days=1)

_CLOCK = func.clock_timestamp()
_STANDS = differences.c.settled_at.is_(None)


@dataclass(frozen=True, slots=True)
class Noted:
    """One as it is written down: see `db.models.reconciling`."""

    id: int
    source: str
    customer: str
    kind: str
    ref: str
    differs: Mapping[str, Any]
    status: str
    by: str
    found_at: datetime
    seen_at: datetime
    settled_at: datetime | None
    told_at: datetime | None


async def note(connection: AsyncConnection, source: str, found: Sequence[Difference], by: str) -> None:
    """Write these down. One that stands already was seen again."""
    # One object may be met twice, by two ways; and in one order, so that two who write never deadlock.
    rows = {(each.kind, each.ref): each for each in found}
    for (kind, ref), each in sorted(rows.items()):
        values = {
            "source": source, "customer": each.customer, "kind": kind, "ref": ref,
            "differs": each.differs, "by": by,
        }  # fmt: skip
        added = insert(differences).values(values)
        await connection.execute(
            added.on_conflict_do_update(
                index_elements=["source", "kind", "ref"],
                index_where=_STANDS,
                set_={"differs": added.excluded.differs, "seen_at": _CLOCK},
            )
        )


async def ripe(
    connection: AsyncConnection, source: str, *, after: int, age: timedelta, most: int
) -> list[Noted]:
    """Those that have stood for so long, from a row id on; also those that a person was told of."""
    rows = await connection.execute(
        select(differences)
        .where(_STANDS, differences.c.source == source, differences.c.id > after)
        .where(differences.c.found_at <= _CLOCK - age, differences.c.kind != "access")
        .order_by(differences.c.id)
        .limit(most)
    )
    return [Noted(**row) for row in rows.mappings()]


async def ripe_in(connection: AsyncConnection, source: str, age: timedelta) -> timedelta | None:
    """When the last of those that nobody has looked at again will have stood for so long; None: all have."""
    waiting = differences.c.status == "found", differences.c.kind != "access"
    newest = func.max(differences.c.found_at) + age - _CLOCK
    wanted = select(newest).where(_STANDS, *waiting, differences.c.source == source)
    wait: timedelta | None = (await connection.execute(wanted)).scalar_one()
    return wait if wait is not None and wait > timedelta(0) else None


async def standing(connection: AsyncConnection, kind: str | None = None) -> list[Noted]:
    """All that stand, or those of one kind, the oldest first."""
    query = select(differences).where(_STANDS).order_by(differences.c.id)
    rows = await connection.execute(query.where(differences.c.kind == kind) if kind else query)
    return [Noted(**row) for row in rows.mappings()]


async def touched_since(connection: AsyncConnection, moment: datetime) -> list[Noted]:
    """All that were seen or settled from then on, the oldest first."""
    query = select(differences).where(differences.c.seen_at >= moment).order_by(differences.c.id)
    return [Noted(**row) for row in (await connection.execute(query)).mappings()]


async def settle(connection: AsyncConnection, row_id: int, status: str) -> None:
    """It is no more: `repaired`, or `gone` without our doing."""
    settled = {"status": status, "settled_at": _CLOCK, "seen_at": _CLOCK}
    await connection.execute(update(differences).where(differences.c.id == row_id, _STANDS).values(settled))


async def report(connection: AsyncConnection, row_id: int, differs: Mapping[str, Any]) -> None:
    """A person has to look at it."""
    values = {"status": "reported", "differs": dict(differs), "seen_at": _CLOCK}
    await connection.execute(update(differences).where(differences.c.id == row_id, _STANDS).values(values))


async def to_tell(connection: AsyncConnection) -> list[Noted]:
    """Those a person has to look at and was not told of within a day; they count as told from now on."""
    untold = or_(differences.c.told_at.is_(None), differences.c.told_at <= _CLOCK - TOLD_AGAIN)
    reported = _STANDS & (differences.c.status == "reported")
    rows = await connection.execute(
        update(differences).where(reported, untold).values(told_at=_CLOCK).returning(differences)
    )
    return sorted((Noted(**row) for row in rows.mappings()), key=lambda each: each.id)


async def counts(connection: AsyncConnection) -> dict[str, int]:
    """How many there are, by status: those that stand, and all that were settled."""
    rows = await connection.execute(
        select(differences.c.status, func.count().label("many")).group_by(differences.c.status)
    )
    return {row.status: row.many for row in rows}
