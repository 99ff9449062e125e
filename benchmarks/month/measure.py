"""What is measured on one layout: by itself, with next to nothing in the tables and with a month in them."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.generator.flood import percentile
from benchmarks.month.layouts import Layout, Took
from db import inbox, journal
from db.intake import Row
from db.journal import Entry
from db.sweep import sweep

AT_ONCE = 16  # events that a receiver stores by one statement
BATCH = 100  # events that a worker takes up
LOOKS = 20
Figures = dict[str, float]


async def storing(layout: Layout, events: Iterator[Row], seconds: float) -> tuple[Figures, list[int]]:
    """Store as many as can be, one statement after the other; figures, and the ids."""
    took, ids = [], []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        ids += await layout.store(list(itertools.islice(events, AT_ONCE)))
        took.append(time.perf_counter() - begun)
    return _commits("store", took, AT_ONCE), ids


async def working(layout: Layout, ids: Sequence[int], customers: int) -> Figures:
    """Take up, note in the journal and finish these events, batch by batch."""
    took = []
    for first in range(0, len(ids), BATCH):
        batch = ids[first : first + BATCH]
        begun = time.perf_counter()
        if len(await layout.take_up(batch)) != len(batch):
            raise BenchmarkError("a worker did not find what the receiver stored")
        await _finish(layout, batch, customers)
        took.append(time.perf_counter() - begun)
    return _commits("work", took, BATCH)


async def _finish(layout: Layout, ids: Sequence[int], customers: int) -> None:
    now = datetime.now(UTC)
    entries = [
        Entry(
            1 + each * 7919 % customers, now, "event.applied", "invoice.paid", None, {"event": f"evt_{each}"}
        )
        for each in ids
    ]
    async with layout.engine.begin() as connection:
        await inbox.lock_pending(connection, ids)
        await journal.write(connection, entries)
        await inbox.mark_done(connection, ids)


async def looking(layout: Layout) -> Figures:
    """A scheduler's look that finds nothing due."""
    took = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        async with layout.engine.begin() as connection:
            await sweep(connection, now=datetime.now(UTC), delay=5.0)
        took.append(time.perf_counter() - begun)
    return {"look_p50_ms": 1000 * percentile(sorted(took), 50)}


async def taking_away(layout: Layout, events: Iterator[Row], take: Callable[[], Awaitable[Took]]) -> Figures:
    """Take a day away while events are being stored."""
    over = asyncio.Event()
    beside: list[float] = []

    async def store() -> None:
        while not over.is_set():
            begun = time.perf_counter()
            await layout.store(list(itertools.islice(events, AT_ONCE)))
            beside.append(time.perf_counter() - begun)

    storing = asyncio.create_task(store())
    try:
        begun = time.perf_counter()
        took = await take()
        seconds = time.perf_counter() - begun
    finally:
        over.set()
        await storing
    return {
        "rows": float(sum(rows for rows, _ in took)),
        "seconds": seconds,
        "longest_ms": 1000 * max(each for _, each in took),
        **_commits("beside", beside, AT_ONCE),
    }


def _commits(name: str, took: list[float], rows: int) -> Figures:
    ordered = sorted(took)
    return {
        f"{name}_rate": rows * len(took) / sum(took),
        f"{name}_p50_ms": 1000 * percentile(ordered, 50),
        f"{name}_p99_ms": 1000 * percentile(ordered, 99),
    }


SIZES = """
    SELECT relname, pg_relation_size(oid) / 1048576.0 AS heap, pg_indexes_size(oid) / 1048576.0 AS indexes,
           coalesce(pg_total_relation_size(nullif(reltoastrelid, 0)), 0) / 1048576.0 AS beside
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      AND relname ~ '^(inbox|journal|outbox)'
"""


async def sizes(connection: Any) -> Figures:
    """Megabytes of the tables, of their indexes, and of what PostgreSQL keeps beside their rows."""
    found: Figures = {}
    for row in await connection.fetch(SIZES):
        table = row["relname"].partition("_")[0]
        for part in ("heap", "indexes", "beside"):
            name = f"{table}_{part}_mb"
            found[name] = found.get(name, 0.0) + float(row[part])
    return found


async def vacuuming(connection: Any) -> Figures:
    """What cleaning up afterwards takes."""
    begun = time.perf_counter()
    await connection.execute("VACUUM inbox", timeout=None)
    return {"vacuum_s": time.perf_counter() - begun}
