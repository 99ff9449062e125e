"""The breaker's row and what it counts, by the database's clock."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
from sqlalchemy import TextClause, insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import alarms, breaker, models
from db.alarms import CALL_AGAIN
from dunning.breaker import HOURS, Failures, Limits, Revocations
from tests.db.conftest import Database
from tests.db.rows import customer_row
from tests.dunning.builders import day

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
SOON = timedelta(seconds=5)


async def fail(
    connection: AsyncConnection, ago: timedelta, count: int = 1, *, clock: str | None = None, **codes: str
) -> None:
    """So many charges failed, of which we heard so long ago."""
    row_id = await customer_row(connection, f"cus_{clock}")
    await connection.execute(
        update(models.customers).where(models.customers.c.id == row_id).values(test_clock=clock)
    )
    taken = (await connection.execute(text("SELECT count(*) FROM charges"))).scalar_one()
    common = {"customer_id": row_id, "invoice": "in_1", "at": day(0)} | codes
    rows = [common | {"ref": f"ch_{taken + number}"} for number in range(count)]
    heard = text("clock_timestamp() - :ago").bindparams(ago=ago)
    await connection.execute(insert(models.charges).values(recorded_at=heard), rows)


async def take(connection: AsyncConnection, ago: timedelta, count: int = 1, *, ref: str = "cus_1") -> None:
    """Access was taken so often, so long ago."""
    row_id = await customer_row(connection, ref)
    rows = [{"customer_id": row_id, "at": day(0), "kind": "access.taken"}] * count
    heard = text("clock_timestamp() - :ago").bindparams(ago=ago)
    await connection.execute(insert(models.journal).values(recorded_at=heard), rows)


async def give(connection: AsyncConnection, ref: str, level: str) -> int:
    """A customer with this level of access."""
    row_id = await customer_row(connection, ref)
    values = {"customer_id": row_id, "level": level, "reason": "x", "changed_at": day(0)}
    await connection.execute(insert(models.access).values(values))
    return row_id


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (timedelta(0), (1, 0)),
        (HOUR - SOON, (1, 0)),
        (HOUR + SOON, (0, 1)),
        (WEEK + HOUR - SOON, (0, 1)),
        (WEEK + HOUR + SOON, (0, 0)),
    ],
)
def test_the_last_hour_and_the_week_before(
    database: Database, ago: timedelta, expected: tuple[int, int]
) -> None:
    """Each failure counts in one of them, by when we heard of it; what is older in none."""

    async def story(connection: AsyncConnection) -> Failures:
        await fail(connection, ago)
        return await breaker.failures(connection)

    hour, week = expected
    assert database.commit(story) == Failures(hour, 0, week / HOURS)


def test_processing_errors_are_known_by_either_code(database: Database) -> None:
    """Stripe says the reason in one of two places."""

    async def story(connection: AsyncConnection) -> Failures:
        await fail(connection, SOON, 2, code="processing_error")
        await fail(connection, SOON, 3, code="card_declined", decline_code="try_again_later")
        await fail(connection, SOON, 4, code="card_declined", decline_code="insufficient_funds")
        await fail(connection, SOON, 5)
        await fail(connection, 2 * HOUR, 6, code="processing_error")
        return await breaker.failures(connection)

    assert database.commit(story) == Failures(14, 5, 6 / HOURS)


def test_customers_on_test_clocks_do_not_count(database: Database) -> None:
    """Somebody tries a year of failures in a minute: that is no outage, and no revocation of ours."""

    async def story(connection: AsyncConnection) -> tuple[Failures, Revocations]:
        await fail(connection, SOON, 50, clock="clock_1", code="processing_error")
        await fail(connection, SOON, 1)
        await take(connection, SOON, 9, ref="cus_clock_1")
        await give(connection, "cus_clock_1", "full")
        return await breaker.failures(connection), await breaker.revocations(connection)

    assert database.commit(story) == (Failures(1, 0, 0.0), Revocations(0, 0, 0))


def test_the_week_is_counted_as_far_as_it_matters(database: Database) -> None:
    """An hour within the floor needs none of it."""

    async def story(connection: AsyncConnection) -> tuple[float, float]:
        await fail(connection, 2 * HOUR, 100)
        await fail(connection, SOON, 2)
        few = await breaker.failures(connection, Limits(surge_floor=2))
        many = await breaker.failures(connection, Limits(surge_floor=1, surge_factor=HOURS))
        return few.usual, many.usual

    assert database.commit(story) == (0.0, 3 / HOURS)


def test_what_had_failed_before_a_release_is_judged(database: Database) -> None:
    """Released, the count begins anew: the same failures do not trip it again."""

    async def before(connection: AsyncConnection) -> None:
        await fail(connection, timedelta(minutes=30), 30)
        await breaker.trip(connection, "30 charges failed")
        await breaker.release(connection, by="maria", why="payday")
        long_ago = text("clock_timestamp() - interval '2 hours'")
        await breaker.trip(connection, "an older one")
        await connection.execute(
            update(models.breaker).where(models.breaker.c.id == 2).values(released_at=long_ago)
        )

    async def after(connection: AsyncConnection) -> Failures:
        await fail(connection, timedelta(0), 3)
        return await breaker.failures(connection)

    database.commit(before)
    assert database.commit(after).hour == 3


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (HOUR - SOON, (2, 2)),
        (HOUR + SOON, (0, 2)),
        (timedelta(days=1) - SOON, (0, 2)),
        (timedelta(days=1) + SOON, (0, 0)),
    ],
)
def test_revocations_of_an_hour_and_a_day(
    database: Database, ago: timedelta, expected: tuple[int, int]
) -> None:
    """By when they were written down."""

    async def story(connection: AsyncConnection) -> Revocations:
        await take(connection, ago, 2)
        return await breaker.revocations(connection)

    assert database.commit(story) == Revocations(*expected, 0)


def test_the_base_is_who_has_something_to_lose(database: Database) -> None:
    """Whoever is revoked has nothing; counted only as far as the caps want to know."""

    async def story(connection: AsyncConnection) -> tuple[int, ...]:
        for number, level in enumerate(("full", "full", "warned", "limited", "revoked")):
            await give(connection, f"cus_{number}", level)
        few = Limits(revocations_per_hour=1, revocations_per_day_share=1)
        exact = await breaker.revocations(connection)
        some = [(await breaker.revocations(connection, few, wanted)).base for wanted in (1, 2)]
        return exact.base, *some

    # There is room for one in any case.
    assert database.commit(story) == (4, 0, 2)


def test_it_trips_once_until_it_is_released(database: Database) -> None:
    """A second trip changes nothing; after a release it may trip again, and the old row keeps its story."""

    async def story(connection: AsyncConnection) -> list[object]:
        done: list[object] = [await breaker.trip(connection, "30 charges failed")]
        done.append(await breaker.trip(connection, "by hand", by="maria"))
        held = await breaker.tripped(connection)
        released = await breaker.release(connection, by="maria", why="payday")
        assert held is not None
        assert held == released
        done += [held.reason, held.by, await breaker.tripped(connection)]
        done.append(await breaker.release(connection, by="maria", why="again"))
        done.append(await breaker.trip(connection, "by hand", by="maria"))
        return done

    assert database.commit(story) == [True, False, "30 charges failed", None, None, None, True]


def test_of_two_schedulers_one_trips_it(database: Database) -> None:
    """The second waits for the first one's commit and then finds the row."""

    async def story(engine: AsyncEngine) -> tuple[bool, bool]:
        async with engine.begin() as first:
            ours = await breaker.trip(first, "30 charges failed")

            async def second() -> bool:
                async with engine.begin() as connection:
                    return await breaker.trip(connection, "31 charges failed")

            other = asyncio.create_task(second())
            await asyncio.wait([other], timeout=0.2)
            assert not other.done()
        return ours, await other

    assert database.play(story) == (True, False)


def test_a_call_belongs_to_one_worker_at_a_time(database: Database) -> None:
    """Taken, it is due again in two minutes; complete or released, never."""

    async def story(connection: AsyncConnection) -> list[object]:
        await breaker.trip(connection, "30 charges failed")
        seen: list[object] = [await alarms.due(connection)]
        first = await alarms.take(connection, 1)
        seen += [
            first is not None,
            await alarms.take(connection, 1),
            await alarms.due(connection),
        ]
        await alarms.note(connection, 1, ["mail"], complete=False)
        await connection.execute(update(models.alarms).values(due_at=models.alarms.c.due_at - CALL_AGAIN))
        again = await alarms.take(connection, 1)
        assert again is not None
        seen.append(again.called)
        await alarms.note(connection, 1, ["mail", "chat"], complete=True)
        await connection.execute(update(models.alarms).values(due_at=models.alarms.c.due_at - CALL_AGAIN))
        return [*seen, await alarms.due(connection), await alarms.take(connection, 1)]

    assert database.commit(story) == [[1], True, None, [], ("mail",), [], None]


def test_nobody_is_called_about_what_is_released(database: Database) -> None:
    """It would only be confusing."""

    async def story(connection: AsyncConnection) -> tuple[list[int], object]:
        await breaker.trip(connection, "30 charges failed")
        await breaker.release(connection, by="maria", why="payday")
        return await alarms.due(connection), await alarms.take(connection, 1)

    assert database.commit(story) == ([], None)


MANY_CHARGES = (
    "INSERT INTO customers (source, ref) VALUES ('stripe', 'cus_many')",
    """INSERT INTO charges (customer_id, ref, invoice, at, recorded_at)
       SELECT id, 'ch_' || hour, 'in_1', now(), now() - make_interval(hours => hour)
       FROM customers, generate_series(1, 2000) AS hour""",
    "ANALYZE charges",
)


@pytest.mark.parametrize(
    ("statement", "values", "index"),
    [
        (breaker.FAILURES, {"codes": ["processing_error"]}, "charges_recorded"),
        (breaker.WEEK, {"enough": 100}, "charges_recorded"),
        (breaker.REVOKED, {}, "journal_taken"),
        (breaker.BASE, {"enough": 100}, "access_given"),
    ],
)
def test_no_count_reads_a_table_from_end_to_end(
    database: Database, statement: TextClause, values: dict[str, object], index: str
) -> None:
    """An index answers each, and no time is compared row by row."""

    async def story(connection: AsyncConnection) -> str:
        # Of a table that is known to be empty, any index is as good as any other.
        for each in MANY_CHARGES:
            await connection.execute(text(each))
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        rows = await connection.execute(text(f"EXPLAIN {statement.text}"), values)
        return "\n".join(row[0] for row in rows)

    plan = database.commit(story)
    assert index in plan
    assert not re.search(r"Filter: .*recorded_at", plan)
