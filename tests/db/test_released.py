"""Whatever a released version has stored is still there, and whatever it says to the database is still heard.

Two versions may run side by side while the newer one is rolled out, and after a step back for longer.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest

from db import accounts, migrate, schema
from db.intake import Intake, Row, Unavailable
from sandbox.postgres import PostgresServer
from settings.urls import for_asyncpg
from tests.db.conftest import database_at
from tests.db.filling import fillers

# Statements of versions, by the schema that was their newest. A file is written when a version is released,
# and not changed after that.
RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))
ROWS = "SELECT to_jsonb(each) FROM {} AS each"
INSERTED = re.compile(r"INSERT INTO (\w+) \(([^)]*)\)")


REQUIRED = """
    SELECT table_name AS of, column_name AS name FROM information_schema.columns
    WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
"""


def is_within(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether a row still has the values that it had."""
    return all(new[name] == value for name, value in old.items())


def arrival(key: str) -> Row:
    """An event as the receiver stores it."""
    return Row("stripe", f"evt_{key}", "invoice.paid", False, None, "pending", None, b"{}")


class Life:
    """A database that was upgraded step by step, with rows of each version in every table of its time."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.fillers: dict[str, list[str]] = {}
        self.stored: dict[str, list[dict[str, Any]]] = {}
        self.received: dict[str, bool] = {}

    async def live(self) -> None:
        """Each step, and what a receiver of today stores in between."""
        for revision in ("none", *schema.REVISIONS):
            if revision != "none":
                await asyncio.to_thread(migrate.upgrade, self.url, revision)
                await self.fill(revision)
            self.received[revision] = await self._receive(revision)

    async def fill(self, revision: str) -> None:
        """Write down every table as it is, so that the same can be looked for later."""
        connection = await asyncpg.connect(for_asyncpg(self.url))
        self.fillers[revision] = await fillers(connection)
        for statement in self.fillers[revision]:
            await connection.execute(statement.replace(":key", f"'{revision}'"))
        for table in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            name = table["tablename"]
            rows = [json.loads(row[0]) for row in await connection.fetch(ROWS.format(name))]
            self.stored[name] = [*self.stored.get(name, []), *rows]
        await connection.close()

    async def _receive(self, revision: str) -> bool:
        intake = Intake(for_asyncpg(self.url))
        try:
            return bool(await intake.insert([arrival(f"received_{revision}")]))
        except Unavailable:
            return False
        finally:
            intake.drop()


@pytest.fixture(scope="module")
def life(postgres_server: PostgresServer) -> Iterator[Life]:
    life = Life(postgres_server.create_database("released"))
    asyncio.run(life.live())
    yield life
    postgres_server.drop_database("released")


def test_nothing_that_was_stored_is_lost_or_changed(life: Life) -> None:
    """Every row of every version has the same values in the columns that it had then."""

    async def look() -> dict[str, list[dict[str, Any]]]:
        connection = await asyncpg.connect(for_asyncpg(life.url))
        found = {
            name: [json.loads(row[0]) for row in await connection.fetch(ROWS.format(name))]
            for name in life.stored
        }
        await connection.close()
        return found

    now = asyncio.run(look())
    for table, rows in life.stored.items():
        if table != "alembic_version":
            assert len(rows) >= 1
            lost = [row for row in rows if not any(is_within(row, other) for other in now[table])]
            assert lost == [], table


def test_every_account_of_every_version_is_read(life: Life) -> None:
    """By the code of today, with its case, its policy and its history."""
    with database_at(life.url) as database:
        loaded = database.commit(
            lambda connection: accounts.load(connection, range(1, len(schema.REVISIONS) + 1))
        )
    assert [each.account.customer.ref for each in loaded.values()] == [
        f"cus_{each}" for each in schema.REVISIONS
    ]
    assert all(len(each.account.cases) == len(each.history) == 1 for each in loaded.values())


def test_the_receiver_stores_events_in_every_schema(life: Life) -> None:
    """It may be restarted before the migration or after it; only where there is no inbox it says so."""
    assert life.received == {"none": False} | dict.fromkeys(schema.REVISIONS, True)


def test_a_version_of_before_writes_into_the_newest_schema(life: Life) -> None:
    """What it does not know has a default."""

    async def write() -> None:
        connection = await asyncpg.connect(for_asyncpg(life.url))
        for revision, statements in life.fillers.items():
            for statement in statements:
                await connection.execute(statement.replace(":key", f"'{revision} once more'"))
        await connection.close()

    asyncio.run(write())


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_every_statement_of_a_released_version_is_still_understood(database_url: str, released: Path) -> None:
    """Its tables, columns, types and conflicts; and it gives every column that has to be given."""

    statements = released.read_text().splitlines()

    async def prepare(url: str) -> list[str]:
        connection = await asyncpg.connect(url)
        required = await connection.fetch(REQUIRED)
        refused = []
        for statement in statements:
            try:
                await connection.prepare(statement)
            except asyncpg.PostgresError as error:
                refused.append(f"{error}: {statement}")
            if found := INSERTED.match(statement):
                given = {name.strip(' "') for name in found[2].split(",")}
                refused += [
                    f"{each['of']}.{each['name']} has no default: {statement}"
                    for each in required
                    if each["of"] == found[1] and each["name"] not in given
                ]
        await connection.close()
        return refused

    assert asyncio.run(prepare(for_asyncpg(database_url))) == []
