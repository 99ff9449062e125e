"""Upcoming renewals are looked for as cases are: when they are due, once per look, by their own clock."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import accounts, changes
from db.changes import Change
from db.sweep import BATCH, DUE, Swept, sweep
from dunning.account import Account, Customer, Subscription
from dunning.events import AsOf
from tests.db.conftest import Database
from tests.db.rows import let_pass
from tests.dunning.builders import day

DELAY = 5.0


async def look(connection: AsyncConnection, now: datetime | None = None) -> Swept:
    return await sweep(connection, now=now or day(6), delay=DELAY)


async def a_renewal(
    connection: AsyncConnection,
    ref: str = "cus_1",
    due_at: datetime | None = None,
    *,
    clock: str | None = None,
    source: str = "stripe",
) -> int:
    """A customer with one subscription whose next notice is due; their row id."""
    row_id = (await accounts.ensure(connection, [(source, ref)]))[source, ref]
    before = (await accounts.load(connection, [row_id]))[row_id]
    known = Account(
        source=source,
        customer=Customer(ref=ref, as_of=AsOf(day(0)), test_clock=clock),
        subscriptions={f"sub_{ref}": Subscription(f"sub_{ref}", status="active")},
    )
    await changes.save(connection, [Change(before, known, {f"sub_{ref}": due_at})])
    return row_id


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_renewal_is_due_to_the_second(database: Database, seconds: int) -> None:
    """One without a next notice never is."""

    async def story(connection: AsyncConnection) -> tuple[int, ...]:
        await a_renewal(connection, "cus_1", day(5))
        await a_renewal(connection, "cus_2", None)
        return (await look(connection, day(5) + timedelta(seconds=seconds))).customers

    assert database.commit(story) == ((1,) if seconds >= 0 else ())


@pytest.mark.parametrize("clock", [None, "clock_1"])
def test_a_renewal_is_not_handed_out_at_every_tick(database: Database, clock: str | None) -> None:
    """Whoever got it needs a moment; if they died, it comes back."""

    async def story(connection: AsyncConnection) -> list[int]:
        await a_renewal(connection, "cus_1", day(5), clock=clock)
        await accounts.move_clocks(connection, {("stripe", "clock_1"): day(6)})
        found = []
        for seconds in (0, 1, 1, 3 * DELAY - 3, 2):
            await let_pass(connection, seconds)
            found.append(len((await look(connection)).customers))
        return found

    assert database.commit(story) == [1, 0, 0, 0, 1]


def test_class_22_a_renewal_on_a_test_clock_lives_by_that_clock(database: Database) -> None:
    """Not by the wall, not by the clock of another source, and not by one nobody has heard of."""

    async def story(connection: AsyncConnection) -> list[tuple[int, ...]]:
        await a_renewal(connection, "cus_1", day(5), clock="clock_1")
        await a_renewal(connection, "cus_2", day(5), clock="clock_unheard")
        await a_renewal(connection, "cus_3", day(5), clock="clock_1", source="commet")
        found = [(await look(connection, day(8))).customers]
        for reached in (4, 5):
            await accounts.move_clocks(connection, {("stripe", "clock_1"): day(reached)})
            found.append((await look(connection, day(8))).customers)
        return found

    assert database.commit(story) == [(), (), (1,)]


def test_two_schedulers_hand_out_no_renewal_twice(database: Database) -> None:
    """One sweeps at a time; the other comes away with nothing."""

    async def story(engine: AsyncEngine) -> list[int]:
        async with engine.begin() as connection:
            for number in range(30):
                await a_renewal(connection, f"cus_{number}", day(5))

        async def tick() -> Swept:
            async with engine.begin() as connection:
                return await look(connection)

        found = await asyncio.gather(*(tick() for _ in range(8)))
        return [row for each in found for row in each.customers]

    assert sorted(database.play(story)) == list(range(1, 31))


def test_a_renewal_that_somebody_is_writing_is_passed_over(database: Database) -> None:
    """The statement itself waits for nobody, whoever else sweeps: the next look finds what it skipped."""

    async def story(engine: AsyncEngine) -> list[list[int]]:
        wanted = {"now": day(6), "again": 3 * DELAY, "batch": 2}
        async with engine.begin() as connection:
            for number in range(3):
                await a_renewal(connection, f"cus_{number}", day(number))
        async with engine.connect() as one, engine.connect() as other:
            answers = [await each.execute(DUE["subscriptions"], wanted) for each in (one, other)]
            found = [sorted(row.customer_id for row in answer) for answer in answers]
            await one.rollback()
            await other.commit()
        async with engine.begin() as third:
            found.append(sorted(row.customer_id for row in await third.execute(DUE["subscriptions"], wanted)))
        return found

    assert database.play(story) == [[1, 2], [3], [1, 2]]


def test_a_backlog_of_renewals_is_handed_out_in_batches(database: Database) -> None:
    """Everybody's annual plan renews on the first of January."""

    async def story(connection: AsyncConnection) -> list[int]:
        keys = [("stripe", f"cus_{number}") for number in range(BATCH + 20)]
        for row_id in (await accounts.ensure(connection, keys)).values():
            await connection.exec_driver_sql(
                "INSERT INTO subscriptions (customer_id, ref, status, due_at)"
                " VALUES ($1, 'sub_1', 'active', $2)",
                (row_id, day(1)),
            )
        return [len((await look(connection)).customers) for _ in range(3)]

    assert database.commit(story) == [BATCH, 20, 0]


def test_who_has_a_case_and_a_renewal_that_are_due_is_handed_out_once(database: Database) -> None:
    """It is the account that is advanced."""

    async def story(connection: AsyncConnection) -> tuple[int, ...]:
        row_id = await a_renewal(connection, "cus_1", day(5))
        await connection.exec_driver_sql(
            "INSERT INTO cases (customer_id, invoice, subscription, opened_at, grace, due_at)"
            " VALUES ($1, 'in_1', 'sub_2', $2, interval '14 days', $2)",
            (row_id, day(1)),
        )
        return (await look(connection)).customers

    assert database.commit(story) == (1,)
