"""One layout's month: measured while nearly empty, filled, measured again, and a day of it taken away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations

from benchmarks.month import measure, rows
from benchmarks.month.layouts import Layout
from benchmarks.month.measure import Figures
from db.session import create_engine
from settings.urls import for_asyncpg

# While rows are made, and not afterwards: nobody would miss them.
_FILLING = ("fsync = off", "full_page_writes = off", "max_wal_size = '4GB'", "autovacuum = off")
_NO_LIMITS = {"lock_timeout": "0", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}

Tell = Callable[[str, Figures], None]
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Month:
    """How many events it has, how many seconds each flood lasts, and how many rows are taken away at once."""

    events: int
    seconds: float
    batch: int
    random_ids: bool = False

    @property
    def customers(self) -> int:
        """Whom its events are about."""
        return max(1, self.events // rows.EVENTS_PER_CUSTOMER)


async def play(kind: type[Layout], url: str, month: Month, tell: Tell, progress: Progress) -> None:
    """All of it, in a migrated database. `tell` hears what was measured, `progress` how far it is."""
    dsn = for_asyncpg(url)
    connection = await asyncpg.connect(dsn)
    layout = kind(dsn, create_engine(url, name="month", pool_size=4, timeouts=_NO_LIMITS))
    try:
        await _play(layout, connection, month, tell, progress)
    finally:
        await _have(connection, ())
        await layout.close()
        await connection.close()


async def _play(layout: Layout, connection: Any, month: Month, tell: Tell, progress: Progress) -> None:
    for statement in (*layout.DDL, rows.POOL):
        await connection.execute(statement)
    kinds = rows.payloads()
    await connection.executemany("INSERT INTO pool VALUES ($1, $2)", list(enumerate(kinds)))
    events = rows.arriving(kinds, at_random=month.random_ids)

    async def at_work() -> Figures:
        stored, ids = await measure.storing(layout, events, month.seconds)
        worked = await measure.working(layout, ids, month.customers)
        return stored | worked | await measure.looking(layout)

    await rows.fill(connection, {"customers": rows.CUSTOMERS}, month.customers, progress)
    tell("empty", await at_work())
    await _fill(layout, connection, month, progress)
    tell("sizes of a month", await measure.sizes(connection))
    tell("a month", await at_work())
    for name, take in (("content", layout.take_away), ("events", layout.remove)):
        taken = await measure.taking_away(layout, events, lambda take=take: take(month.batch))  # type: ignore[misc]  # bound now
        tell(f"a day of {name} taken away", taken | await measure.vacuuming(connection))
    tell("sizes afterwards", await measure.sizes(connection))


async def _fill(layout: Layout, connection: Any, month: Month, progress: Progress) -> None:
    values = {
        "ids": rows.AT_RANDOM if month.random_ids else rows.IN_ORDER,
        "days": rows.DAYS,
        "count": month.events,
        "kinds": rows.KINDS,
        "customers": month.customers,
        "mails": rows.EVENTS_PER_MAIL,
        "first": await connection.fetchval("SELECT max(id) FROM inbox"),
    }
    # What is older has the smaller ids, as everywhere.
    await connection.execute("TRUNCATE inbox, journal")
    fillers = {**layout.fillers(), "journal": rows.JOURNAL, "outbox": rows.OUTBOX}
    await _have(connection, _FILLING)
    statements = {name: statement.format(**values) for name, statement in fillers.items()}
    await rows.fill(connection, statements, month.events, progress)
    await connection.execute("VACUUM ANALYZE", timeout=None)
    await _have(connection, ())


async def _have(connection: Any, settings: Sequence[str]) -> None:
    """Change these settings of the server and no others. What was written is on disk then."""
    await connection.execute("ALTER SYSTEM RESET ALL")
    for each in settings:
        await connection.execute(f"ALTER SYSTEM SET {each}")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.execute("CHECKPOINT", timeout=None)
