"""Events wait until they are done or retired; a try is counted before it is made."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import inbox, models
from tests.db.conftest import Database
from tests.db.rows import event, let_pass, store_event


def test_what_waits_is_taken_up_in_its_order(database: Database) -> None:
    """Not what is done, dead, ignored or unknown."""

    async def story(connection: AsyncConnection) -> list[Any]:
        ids = [await store_event(connection, f"evt_{number}") for number in range(3)]
        for status in ("done", "dead", "ignored"):
            ids.append(await store_event(connection, f"evt_{status}", status=status))  # noqa: PERF401  # in order
        found = await inbox.take_up(connection, [*reversed(ids), 404])
        counted = [(await event(connection, row_id)).attempts for row_id in ids]
        return [[row.event_id for row in found], counted, [row.payload for row in found]]

    assert database.commit(story) == [["evt_0", "evt_1", "evt_2"], [1, 1, 1, 0, 0, 0], [b"{}"] * 3]


def test_nothing_to_take_up(database: Database) -> None:
    """An empty message."""

    async def story(connection: AsyncConnection) -> list[Any]:
        return [await inbox.take_up(connection, []), await inbox.lock_pending(connection, [])]

    assert database.commit(story) == [[], set()]


def test_class_6_a_try_is_counted_even_if_nothing_comes_of_it(database: Database) -> None:
    """The process died after taking it up: the count was committed before."""

    async def story(engine: AsyncEngine) -> int:
        async with engine.begin() as connection:
            row_id = await store_event(connection)
        async with engine.begin() as connection:
            await inbox.take_up(connection, [row_id])
        async with engine.connect() as connection:
            await inbox.lock_pending(connection, [row_id])  # and the process is gone
        async with engine.connect() as connection:
            return int((await event(connection, row_id)).attempts)

    assert database.play(story) == 1


def test_a_row_somebody_applies_is_not_ours(database: Database) -> None:
    """Neither to be taken up nor to be locked, and nobody waits for it."""

    async def story(engine: AsyncEngine) -> list[Any]:
        async with engine.begin() as connection:
            ids = [await store_event(connection, f"evt_{number}") for number in range(2)]
        async with engine.begin() as mine, engine.begin() as other:
            assert await inbox.lock_pending(mine, ids[:1]) == {ids[0]}
            locked = await inbox.lock_pending(other, ids)
            taken = [row.id for row in await inbox.take_up(other, ids)]
            await inbox.mark_done(mine, ids[:1])
        async with engine.begin() as connection:
            return [
                locked == {ids[1]},
                taken == [ids[1]],
                await inbox.lock_pending(connection, ids) == {ids[1]},
            ]

    assert database.play(story) == [True, True, True]


def test_ten_who_take_it_up_at_once_apply_it_once(database: Database) -> None:
    """The lock decides; the others find it done."""

    async def story(engine: AsyncEngine) -> list[int]:
        async with engine.begin() as connection:
            row_id = await store_event(connection)

        async def apply() -> int:
            async with engine.begin() as connection:
                await inbox.take_up(connection, [row_id])
            async with engine.begin() as connection:
                mine = await inbox.lock_pending(connection, [row_id])
                await inbox.mark_done(connection, mine)
                return len(mine)

        return list(await asyncio.gather(*(apply() for _ in range(10))))

    assert sum(database.play(story)) == 1


def test_waiting_for_a_provider_takes_the_try_back(database: Database) -> None:
    """It is not the row's fault, however long it lasts."""

    async def story(connection: AsyncConnection) -> list[Any]:
        row_id = await store_event(connection)
        seen = []
        for counts in (False, False, True, True, False):
            await let_pass(connection, 3600)
            await inbox.take_up(connection, [row_id])
            await inbox.note_failure(connection, row_id, "an error", counts=counts)
            seen.append((await event(connection, row_id)).attempts)
        await inbox.note_failure(connection, row_id, "an error", counts=False)
        await inbox.note_failure(connection, row_id, "the last", counts=False)
        await inbox.note_failure(connection, row_id, "the last", counts=False)
        row = await event(connection, row_id)
        return [*seen, row.attempts, row.status, row.last_error]

    assert database.commit(story) == [0, 0, 1, 2, 2, 0, "pending", "the last"]


def test_what_waits_for_an_answer_is_looked_at_the_less_often_the_longer_it_waits(database: Database) -> None:
    """Twenty seconds at first, five minutes at most, and never counted: it may wait for a day."""

    async def story(connection: AsyncConnection) -> list[Any]:
        row_id = await store_event(connection)
        seen = []
        for waited in (timedelta(), timedelta(minutes=8), timedelta(hours=23)):
            received = func.clock_timestamp() - waited
            await connection.execute(update(models.inbox).values(received_at=received))
            await let_pass(connection, 3600)
            await inbox.take_up(connection, [row_id])
            await inbox.let_wait(connection, row_id, "nobody has told")
            until_next = await connection.execute(
                select(models.inbox.c.due_at - func.clock_timestamp(), models.inbox.c.attempts)
            )
            seen.append(until_next.one())
        return [(round(rest.total_seconds()), tries) for rest, tries in seen]

    assert database.commit(story) == [(20, 0), (60, 0), (300, 0)]


def test_what_is_done_or_dead_stays_so(database: Database) -> None:
    """A late failure of a slow worker changes nothing."""

    async def story(connection: AsyncConnection) -> list[Any]:
        done, dead = await store_event(connection, "evt_1"), await store_event(connection, "evt_2")
        await inbox.note_failure(connection, done, "an error", counts=True)
        await inbox.mark_done(connection, [done])
        await inbox.mark_dead(connection, dead, "malformed")
        for row_id in (done, dead):
            await inbox.note_failure(connection, row_id, "late", counts=True)
            await inbox.mark_dead(connection, row_id, "late")
        rows = [await event(connection, row_id) for row_id in (done, dead)]
        return [(row.status, row.last_error) for row in rows]

    assert database.commit(story) == [("done", None), ("dead", "malformed")]
