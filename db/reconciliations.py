"""Reconciliations: what is to be done when, by whom now, and how far it has come.

A run is a lease with a fence, as in `db.outbox`, and in the whole installation one process at a time holds
one. Every page is written in the transaction that moves its cursor: whoever has lost the lease writes
nothing. All times are the database's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import RowMapping, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import reconciliations

Kind = Literal["events", "comparison"]
EVENTS: Final = "events"
COMPARISON: Final = "comparison"

# Short, so that what a killed process held goes on soon; whoever lives renews it while they work.
LEASE = timedelta(seconds=30)
RENEW_EVERY = timedelta(seconds=8)
# Any constant of our own: two that take different rows at the same moment would both find no other taken.
TAKE_LOCK = 0x7265636F


class LostLeaseError(Exception):
    """The run is somebody else's by now: nothing of what was read is written."""


@dataclass(frozen=True, slots=True)
class Run:
    """One that is under way, or the last of its kind. `cursors` are by stage, None where that is through.

    `counts` are of this run, `totals` of all before it.
    """

    id: int
    source: str
    kind: Kind
    fence: int
    created_at: datetime
    due_at: datetime
    lease_until: datetime | None = None
    begun_at: datetime | None = None
    since: datetime | None = None
    cursors: Mapping[str, str | None] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)
    high_water: datetime | None = None
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    last_error: str | None = None

    def is_through(self, stage: str) -> bool:
        return stage in self.cursors and self.cursors[stage] is None


_CLOCK = func.clock_timestamp()
_FIRST = text("""
    INSERT INTO reconciliations (source, kind, due_at) VALUES
        (:source, 'events', clock_timestamp() + interval '1 hour'),
        (:source, 'comparison', date_trunc('day', clock_timestamp(), 'UTC') + interval '1 day 3 hours')
    ON CONFLICT DO NOTHING
""")


async def ensure(connection: AsyncConnection, source: str) -> None:
    """Have both done regularly from now on: events in an hour, the comparison in the coming night."""
    known = select(func.count()).select_from(reconciliations).where(reconciliations.c.source == source)
    if (await connection.execute(known)).scalar_one() < 2:
        await connection.execute(_FIRST, {"source": source})


async def end(connection: AsyncConnection, source: str) -> None:
    """Never again: nobody can be asked there any more. Whoever is at work on it has lost it."""
    await ensure(connection, source)
    values = {
        "due_at": _CLOCK + timedelta(days=365_000),
        "begun_at": None,
        "lease_until": None,
        "fence": reconciliations.c.fence + 1,
    }
    await connection.execute(update(reconciliations).where(reconciliations.c.source == source).values(values))


async def reopen(connection: AsyncConnection, source: str) -> None:
    """What was ended is done regularly again."""
    ended = reconciliations.c.due_at > _CLOCK + timedelta(days=365)
    await connection.execute(
        update(reconciliations).where(reconciliations.c.source == source, ended).values(due_at=_CLOCK)
    )


async def due(connection: AsyncConnection) -> list[int]:
    """The rows that are due and that nobody is at work on, the longest due first."""
    free = reconciliations.c.lease_until.is_(None) | (reconciliations.c.lease_until < _CLOCK)
    rows = await connection.execute(
        select(reconciliations.c.id)
        .where(reconciliations.c.due_at <= _CLOCK, free)
        .order_by(reconciliations.c.due_at)
    )
    return [row.id for row in rows]


async def take(
    connection: AsyncConnection, row_id: int, *, anyway: bool = False, since: datetime | None = None
) -> Run | None:
    """Make this one ours, to go on with or to begin; None: it is not due, or one is under way already.

    `anyway`: due or not. With `since` it begins anew, and looks back so far or as far as it would have.
    """
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": TAKE_LOCK})
    other = reconciliations.alias()
    busy = exists(select(other.c.id).where(other.c.lease_until >= _CLOCK))
    wanted = [reconciliations.c.id == row_id, ~busy]
    if not anyway:
        wanted.append(reconciliations.c.due_at <= _CLOCK)
    values: dict[str, Any] = {"fence": reconciliations.c.fence + 1, "lease_until": _CLOCK + LEASE}
    taken = await connection.execute(
        update(reconciliations).where(*wanted).values(values).returning(reconciliations)
    )
    row = taken.mappings().one_or_none()
    if row is None:
        return None
    run = Run(**row)
    if run.begun_at is not None and since is None:
        return run
    earliest = min(filter(None, (since, run.since if run.begun_at else None)), default=None)
    begun: dict[str, Any] = {"begun_at": _CLOCK, "since": earliest, "cursors": {}, "counts": {}}
    return await _update(connection, run, begun)


async def renew(connection: AsyncConnection, run: Run) -> bool:
    """Hold on to it for another lease. False: it is somebody else's now, or done."""
    held = await connection.execute(
        update(reconciliations)
        .where(reconciliations.c.id == run.id, reconciliations.c.fence == run.fence)
        .where(reconciliations.c.lease_until.is_not(None))
        .values(lease_until=_CLOCK + LEASE)
    )
    return held.rowcount == 1


async def advance(
    connection: AsyncConnection, run: Run, stage: str, cursor: str | None, counted: Mapping[str, int]
) -> Run:
    """A page of a stage was dealt with. Call it in the transaction that did. Raises LostLeaseError."""
    counts = {name: run.counts.get(name, 0) + counted.get(name, 0) for name in {*run.counts, *counted}}
    return await _update(connection, run, {"cursors": {**run.cursors, stage: cursor}, "counts": counts})


async def begin_at(connection: AsyncConnection, run: Run, since: datetime) -> Run:
    """It looks back as far as this. Raises LostLeaseError."""
    return await _update(connection, run, {"since": since})


async def put_down(connection: AsyncConnection, run: Run, wait: timedelta = timedelta(0)) -> None:
    """Leave it half done; whoever comes goes on, after `wait`. Raises LostLeaseError."""
    await _update(connection, run, {"lease_until": None, "due_at": _CLOCK + wait})


async def give_up(connection: AsyncConnection, run: Run, error: str, wait: timedelta, *, anew: bool) -> None:
    """It cannot go on now, and why; after `wait` it does, or with `anew` begins from the start."""
    values = {"lease_until": None, "due_at": _CLOCK + wait, "failed_at": _CLOCK, "last_error": error}
    await _update(connection, run, values | ({"begun_at": None} if anew else {}))


async def succeed(connection: AsyncConnection, run: Run, wait: timedelta) -> Run:
    """Everything was looked at; it is due again after `wait`. Raises LostLeaseError."""
    names = {*run.totals, *run.counts}
    totals = {name: run.totals.get(name, 0) + run.counts.get(name, 0) for name in names}
    # One that began after the mark, by somebody's wish, leaves what is between to the next.
    reached = run.high_water is None or run.since is None or run.since <= run.high_water
    values = {
        "lease_until": None,
        "begun_at": None,
        "succeeded_at": _CLOCK,
        "due_at": _CLOCK + wait,
        "totals": totals,
        "last_error": None,
    }
    return await _update(connection, run, values | ({"high_water": run.begun_at} if reached else {}))


async def hurry(connection: AsyncConnection, source: str, kinds: Sequence[Kind]) -> None:
    """These are due now, whenever they would have been."""
    wanted = reconciliations.c.source == source, reconciliations.c.kind.in_(kinds)
    await connection.execute(update(reconciliations).where(*wanted).values(due_at=_CLOCK))


async def look_back(connection: AsyncConnection, to: datetime) -> None:
    """Events are missing from then on: all are looked at anew, and everything is compared, at once."""
    earlier = func.least(reconciliations.c.high_water, to)
    await connection.execute(
        update(reconciliations).values(
            due_at=_CLOCK,
            begun_at=None,
            high_water=func.least(func.coalesce(earlier, reconciliations.c.created_at), to),
        )
    )


async def read(connection: AsyncConnection, source: str) -> dict[Kind, Run]:
    """Both of a source as they stand."""
    of = reconciliations.c.source == source
    rows = await connection.execute(select(reconciliations).where(of).order_by(reconciliations.c.id))
    return {row["kind"]: Run(**row) for row in rows.mappings()}


async def _update(connection: AsyncConnection, run: Run, values: Mapping[str, Any]) -> Run:
    changed = await connection.execute(
        update(reconciliations)
        .where(reconciliations.c.id == run.id, reconciliations.c.fence == run.fence)
        .where(reconciliations.c.lease_until.is_not(None))
        .values(values)
        .returning(reconciliations)
    )
    row: RowMapping | None = changed.mappings().one_or_none()
    if row is None:
        raise LostLeaseError
    return Run(**row)
