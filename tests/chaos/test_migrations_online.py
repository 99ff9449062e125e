"""Every migration from the first schema on runs while others read and write, and nobody waits for long.

In the long form on a million rows in each large table; in the short form on some thousands, with a look at
every statement: whatever takes longer the more rows there are must not hold a lock that others wait for.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from db import migrate, schema
from sandbox.postgres import PostgresServer
from settings.urls import for_asyncpg
from tests.chaos.conftest import Tell
from tests.chaos.crowded import LARGE, TRAFFIC, fill

# Milliseconds that a statement of somebody else may take while a migration runs.
LONGEST = 1000
FEW, MANY = 3_000, 1_000_000

# What may be done to a table that is there already. Whatever is not here takes its time or its lock.
HARMLESS = re.compile(
    r"""CREATE\ TABLE\ |
        ALTER\ TABLE\ \w+\ ADD\ COLUMN\ IF\ NOT\ EXISTS\ (?!.*\ (PRIMARY|UNIQUE|REFERENCES|CHECK|GENERATED)) |
        ALTER\ TABLE\ \w+\ ALTER\ COLUMN\ \w+\ SET\ DEFAULT\ |
        ALTER\ TABLE\ \w+\ SET\ \((,?\ ?(toast\.)?autovacuum_\w+\ =\ [\d.]+)+\) |
        CREATE\ (UNIQUE\ )?INDEX\ CONCURRENTLY\ IF\ NOT\ EXISTS\ |
        DROP\ INDEX\ CONCURRENTLY\ |
        (UPDATE|DELETE)\ .*\ BETWEEN\ \$1\S*\ AND\ \$2 |
        INSERT\ INTO\ alarms\ |
        (INSERT\ INTO|UPDATE)\ alembic_version\ |
        (SET|RESET)\ lock_timeout |
        SELECT\ """,
    re.VERBOSE | re.DOTALL,
)


def objection(statement: str) -> str | None:
    """Why a statement of a migration is not one for a table that is full and in use; None: it is."""
    plain = " ".join(statement.split())
    return None if HARMLESS.match(plain) else plain


@contextmanager
def heard() -> Iterator[list[tuple[str, str | None]]]:
    """Every statement that is sent meanwhile, and whether it is a transaction of its own."""
    said: list[tuple[str, str | None]] = []

    def hear(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        said.append((statement, connection.get_execution_options().get("isolation_level")))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


class Traffic:
    """Somebody who reads and writes all the time, and remembers which statement took longest."""

    def __init__(self, url: str) -> None:
        self._url = for_asyncpg(url)
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.longest: dict[str, float] = {}
        self.statements = 0
        self.failed: list[str] = []

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    async def _run(self) -> None:
        await asyncio.gather(*(self._go_on(name, statement) for name, statement in TRAFFIC.items()))

    async def _go_on(self, name: str, statement: str) -> None:
        connection = await asyncpg.connect(self._url, timeout=10)
        number = 0
        while not self._over.is_set():
            number += 1
            began = time.monotonic()
            try:
                await connection.execute(statement, number)
            except asyncpg.PostgresError as error:
                self.failed.append(f"{name}: {error}")
            took = (time.monotonic() - began) * 1000
            self.longest[name] = max(took, self.longest.get(name, 0.0))
            self.statements += 1
            await asyncio.sleep(0.01)
        await connection.close()


async def nodes(url: str) -> dict[str, int]:
    """The file of each large table: another one means that all its rows were written anew."""
    connection = await asyncpg.connect(for_asyncpg(url))
    query = "SELECT relname, relfilenode FROM pg_class WHERE relname = ANY($1)"
    found = {row["relname"]: row["relfilenode"] for row in await connection.fetch(query, list(LARGE))}
    await connection.close()
    return found


def test_nobody_waits_for_a_migration(postgres_server: PostgresServer, long: bool, tell: Tell) -> None:
    """From the first schema to the newest under traffic: nothing fails, waits or is written anew."""
    rows = MANY if long else FEW
    url = postgres_server.create_database("online")
    migrate.upgrade(url, schema.REVISIONS[0])
    asyncio.run(fill(url, rows))
    before = asyncio.run(nodes(url))
    seconds = {}
    with heard() as said, Traffic(url) as traffic:
        for revision in schema.REVISIONS[1:]:
            began = time.monotonic()
            migrate.upgrade(url, revision)
            seconds[revision] = round(time.monotonic() - began, 2)
    longest = {name: round(took) for name, took in traffic.longest.items()}
    tell(
        "upgrade",
        rows=rows,
        seconds=seconds,
        statements=traffic.statements,
        longest_ms=longest,
        failed=len(traffic.failed),
    )
    assert asyncio.run(nodes(url)) == before
    assert [why for statement, _ in said if (why := objection(statement))] == []
    assert {level for _, level in said} == {"AUTOCOMMIT"}
    assert traffic.failed == []
    assert max(longest.values()) <= LONGEST
    postgres_server.drop_database("online")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX outbox_x ON outbox (status)",
        "UPDATE invoices SET amount_due = 1",
        "ALTER TABLE invoices ALTER COLUMN currency TYPE VARCHAR",
        "ALTER TABLE invoices ALTER COLUMN amount_due SET NOT NULL",
        "ALTER TABLE invoices ADD CHECK (amount_due >= 0)",
        "ALTER TABLE invoices ADD COLUMN IF NOT EXISTS x BIGINT REFERENCES customers (id)",
        "ALTER TABLE outbox DROP COLUMN trace",
        "DROP INDEX outbox_due",
        "LOCK TABLE inbox",
        "ALTER TABLE inbox SET (autovacuum_enabled = 0, user_catalog_table = true)",
    ],
)
def test_what_would_make_others_wait_is_objected_to(statement: str) -> None:
    """A control of the look at the statements."""
    assert objection(statement)


def test_a_table_that_is_in_use_is_waited_for_without_a_queue_behind(postgres_server: PostgresServer) -> None:
    """Somebody reads a table for long: the migration steps back at once, and is done when they are."""
    url = postgres_server.create_database("in_use")
    migrate.upgrade(url, "0009")

    async def story() -> float:
        reader, other = [await asyncpg.connect(for_asyncpg(url), command_timeout=5) for _ in range(2)]
        reading = reader.transaction()
        await reading.start()
        await reader.execute("SELECT FROM invoices")
        migrating = asyncio.create_task(asyncio.to_thread(migrate.upgrade, url))
        longest = 0.0
        try:
            for _ in range(30):
                began = time.monotonic()
                await other.execute("SELECT FROM invoices")
                longest = max(longest, time.monotonic() - began)
                await asyncio.sleep(0.05)
            assert not migrating.done()
        finally:
            await reading.rollback()
            await migrating
        await asyncio.gather(reader.close(), other.close())
        return longest

    longest = asyncio.run(story())
    assert asyncio.run(migrate.pending(url)) == []
    assert longest * 1000 < LONGEST
    postgres_server.drop_database("in_use")


def test_an_interrupted_migration_goes_on_from_there(postgres_server: PostgresServer) -> None:
    """Each is run twice, as if it had ended before it was noted; a half-built index is built anew."""
    url = postgres_server.create_database("interrupted")

    async def forget(revision: str) -> None:
        connection = await asyncpg.connect(for_asyncpg(url))
        await connection.execute("UPDATE alembic_version SET version_num = $1", revision)
        if revision == "0010":
            await connection.execute(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'inbox_dead'::regclass"
            )
        await connection.close()

    async def invalid() -> int:
        connection = await asyncpg.connect(for_asyncpg(url))
        found: int = await connection.fetchval("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        await connection.close()
        return found

    for before, revision in zip(schema.REVISIONS, schema.REVISIONS[1:], strict=False):
        migrate.upgrade(url, revision)
        asyncio.run(forget(before))
        migrate.upgrade(url, revision)
    assert asyncio.run(migrate.pending(url)) == []
    assert asyncio.run(invalid()) == 0
    postgres_server.drop_database("interrupted")
