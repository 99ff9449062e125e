"""The list of cases, page by page, while cases open, close and turn out to be older."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from console.team.cursor import read, written
from db import lookups
from db.lookups import Place
from db.models import cases
from tests.db.rows import customer_row
from tests.dunning.builders import day

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "0"))

# What happens between two pages: (what, to which case).
HAPPENS = st.tuples(st.sampled_from(["open", "close", "reopen", "older"]), st.integers(0, 30))
# Many on few days, so that the order within a day matters.
OPENED = st.lists(st.integers(0, 4), min_size=1, max_size=16)


class Cases:
    """Cases of two customers on one connection whose transaction is never committed."""

    def __init__(self, connection: AsyncConnection, customers: list[int]) -> None:
        self._connection, self._customers = connection, customers
        self.opened: list[int] = []

    async def open(self, on: int) -> None:
        number = len(self.opened)
        self.opened.append(on)
        row = {
            "customer_id": self._customers[number % 2],
            "invoice": f"in_{number}",
            "subscription": "sub_1",
            "opened_at": day(on),
            "grace": timedelta(days=14),
        }
        await self._connection.execute(insert(cases).values(row))

    async def change(self, number: int, **values: Any) -> None:
        changed = update(cases).where(cases.c.invoice == f"in_{number}").values(values)
        await self._connection.execute(changed)

    async def happen(self, what: str, number: int) -> str:
        """The invoice that it happened to."""
        if what == "open":
            await self.open(number % 8)
            return f"in_{len(self.opened) - 1}"
        number %= len(self.opened)
        if what == "older":
            self.opened[number] -= 1
            await self.change(number, opened_at=day(self.opened[number]))
        else:
            await self.change(number, closed_at=day(9) if what == "close" else None)
        return f"in_{number}"


@pytest.fixture
def table(database_url: str) -> Iterator[tuple[asyncio.Runner, AsyncConnection]]:
    """One connection for every example."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    with asyncio.Runner() as runner:
        connection = runner.run(engine.connect().start())
        yield runner, connection
        runner.run(connection.close())


async def read_all(
    it: Cases, connection: AsyncConnection, size: int, happens: list[tuple[str, int]], **filters: Any
) -> tuple[list[str], dict[str, set[str]]]:
    """Every page in turn, something happening after each; what was listed, and what happened to whom."""
    listed: list[str] = []
    touched: dict[str, set[str]] = {}
    after: Place | None = None
    waiting = list(happens)
    while True:
        found = await lookups.page_of_cases(connection, after=after, limit=size, **filters)
        listed += [each.invoice for each in found]
        if len(found) < size:
            return listed, touched
        after = read(written(found[-1]))
        if waiting:
            what, number = waiting.pop(0)
            touched.setdefault(await it.happen(what, number), set()).add(what)


@settings(
    max_examples=EXAMPLES or 25,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(opened=OPENED, size=st.integers(1, 5), happens=st.lists(HAPPENS, max_size=10), only_open=st.booleans())
def test_every_case_that_is_there_all_the_time_is_listed(
    table: tuple[asyncio.Runner, AsyncConnection],
    opened: list[int],
    size: int,
    happens: list[tuple[str, int]],
    only_open: bool,
) -> None:
    """Once, whatever becomes of the others; twice at most where it turned out to be older meanwhile."""
    runner, connection = table

    async def play() -> tuple[list[str], dict[str, set[str]]]:
        await connection.execute(delete(cases))
        it = Cases(connection, [await customer_row(connection, ref) for ref in ("cus_1", "cus_2")])
        for on in opened:
            await it.open(on)
        return await read_all(it, connection, size, happens, is_open=True if only_open else None)

    listed, touched = runner.run(play())
    for number in range(len(opened)):
        invoice = f"in_{number}"
        happened = touched.get(invoice, set())
        closed = only_open and "close" in happened
        least, most = 0 if closed else 1, 1 + ("older" in happened) * len(happens)
        assert least <= listed.count(invoice) <= most, (invoice, listed, touched)


WRONG = (
    "", "x", "%", "e30", "W10", "bnVsbA", "é", "a" * 1000, "=" * 8,
    "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwgMSwgImluXzEiXQ",  # a time without a zone
    "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgMSwgImluXzEiXQ",  # before the first year there is
    "WyIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwgOTIyMzM3MjAzNjg1NDc3NTgwOCwgImluXzEiXQ",  # a row beyond bigint
    "WyIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwgMSwgImFcdTAwMDBiIl0",  # NUL
    "WyIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwgMSwgWyJpbl8xIl1d",  # a list for an invoice
)  # fmt: skip


def test_only_cursors_of_ours_are_read() -> None:
    """A place comes back as it was; anything else is the asker's mistake."""
    place = Place(day(3), 7, "in_ü")
    assert read(written(place)) == place
    for wrong in WRONG:
        with pytest.raises(Exception, match="invalid_cursor"):
            read(wrong)
