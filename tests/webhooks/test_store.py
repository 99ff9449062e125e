"""Group commit against a real database: what shares a commit, and what must not share a failure."""

import asyncio
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import cast

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest

from db.intake import Intake, Row, Unavailable, Unstorable
from tests.webhooks.conftest import Query
from webhooks.log import Log
from webhooks.store import BATCH_BYTES, BATCH_ROWS, CAPACITY, Store


def row(event_id: str, payload: bytes = b"{}") -> Row:
    """A pending row."""
    return Row("stripe", event_id, "invoice.paid", False, None, "pending", None, payload)


def rows(count: int) -> list[Row]:
    """Different pending rows."""
    return [row(f"evt_{number}") for number in range(count)]


async def put_together(store: Store, wanted: list[Row]) -> list[int | BaseException | None]:
    """Queue the rows in this order, start the store, and wait for every outcome."""
    tasks = [asyncio.create_task(store.put(each)) for each in wanted]
    store.start()
    try:
        return await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await store.close()


def test_rows_that_wait_share_one_commit(dsn: str, query: Query) -> None:
    """A hundred rows that wait together are one statement, and each caller gets its own id."""
    store = Store(dsn, Log("json", "error"))
    ids = asyncio.run(put_together(store, rows(100)))
    stored = {each["id"]: each["event_id"] for each in query("SELECT id, event_id FROM inbox")}
    assert [stored[row_id] for row_id in ids if isinstance(row_id, int)] == [
        each.event_id for each in rows(100)
    ]
    assert store.commits == 1


def test_copies_in_one_statement(dsn: str, query: Query) -> None:
    """Of three copies in one statement one is new; the same id from another source is another event."""
    wanted = [row("evt_1"), row("evt_1"), replace(row("evt_1"), source="commet"), row("evt_1")]
    outcomes = asyncio.run(put_together(Store(dsn, Log("json", "error")), wanted))
    assert [outcome is None for outcome in outcomes] == [False, True, False, True]
    assert len(query("SELECT id FROM inbox")) == 2


@pytest.mark.parametrize(
    ("wanted", "commits"),
    [
        (rows(2 * BATCH_ROWS + 1), 3),
        ([row(f"evt_{number}", b"x" * (BATCH_BYTES // 4)) for number in range(9)], 3),
    ],
)
def test_a_statement_has_limits(dsn: str, query: Query, wanted: list[Row], commits: int) -> None:
    """Neither the rows nor the bytes of one statement grow without bound."""
    store = Store(dsn, Log("json", "error"))
    asyncio.run(put_together(store, wanted))
    assert store.commits == commits
    assert len(query("SELECT id FROM inbox")) == len(wanted)


@pytest.mark.parametrize("bad", [[0], [17], [49], [3, 4, 30]])
def test_a_bad_row_fails_alone(dsn: str, query: Query, bad: list[int]) -> None:
    """Rows the database refuses fail by themselves; all others of their statement are stored."""
    wanted = rows(50)
    for number in bad:
        wanted[number] = row(f"evt_{number}\x00")
    outcomes = asyncio.run(put_together(Store(dsn, Log("json", "error")), wanted))
    assert [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Unstorable)] == bad
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 50 - len(bad)
    assert len(query("SELECT id FROM inbox")) == 50 - len(bad)


LONG = Random(1).randbytes(8_000).hex()  # noqa: S311 -- only has to resist compression


@pytest.mark.parametrize("event_id", ["evt_\ud800", LONG])
def test_other_values_the_database_refuses(dsn: str, query: Query, event_id: str) -> None:
    """Text that is no UTF-8, and a key too long for the index, are refused like a NUL byte."""
    outcomes = asyncio.run(put_together(Store(dsn, Log("json", "error")), [row("evt_1"), row(event_id)]))
    assert isinstance(outcomes[1], Unstorable)
    assert [each["event_id"] for each in query("SELECT event_id FROM inbox")] == ["evt_1"]


def test_a_fault_of_ours_fails_its_rows_only(dsn: str, query: Query) -> None:
    """A statement that cannot even be built fails the rows it was for; the writer goes on."""

    async def stumble() -> None:
        out = io.StringIO()
        store = Store(dsn, Log("json", "error", out))
        nonsense = row(cast(str, None))
        first = await put_together(store, [row("evt_1"), nonsense])
        assert [str(outcome) for outcome in first] == ["fault", "fault"]
        assert json.loads(out.getvalue())["event"] == "store.failed"
        assert isinstance((await put_together(store, [row("evt_2")]))[0], int)

    asyncio.run(stumble())
    assert [each["event_id"] for each in query("SELECT event_id FROM inbox")] == ["evt_2"]


def test_a_full_queue_turns_away_at_once(dsn: str) -> None:
    """With as many rows waiting as may wait, the next one is told so without waiting."""

    async def fill() -> None:
        store = Store(dsn, Log("json", "error"))
        tasks = [asyncio.create_task(store.put(each)) for each in rows(CAPACITY)]
        last = asyncio.create_task(store.put(row("evt_last")))
        with pytest.raises(Unavailable, match="full"):
            await last
        assert not any(task.done() for task in tasks)
        await store.close()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)

    asyncio.run(fill())


def test_a_row_nobody_waits_for_is_not_written(dsn: str, query: Query) -> None:
    """A request that has gone takes its row with it as long as it is not being written."""

    async def leave() -> None:
        store = Store(dsn, Log("json", "error"))
        gone, stays = (
            asyncio.create_task(store.put(row("evt_1"))),
            asyncio.create_task(store.put(row("evt_2"))),
        )
        asyncio.get_running_loop().call_soon(gone.cancel)
        asyncio.get_running_loop().call_soon(store.start)
        assert await stays
        await store.close()

    asyncio.run(leave())
    assert [each["event_id"] for each in query("SELECT event_id FROM inbox")] == ["evt_2"]


def test_two_receivers_do_not_deadlock(dsn: str) -> None:
    """Two connections insert the same events in opposite orders at once, again and again: nobody fails."""

    async def oppose() -> None:
        one, other = Intake(dsn), Intake(dsn)
        for turn in range(20):
            wanted = [row(f"evt_{turn}_{number}") for number in range(BATCH_ROWS)]
            new = await asyncio.gather(one.insert(wanted), other.insert(wanted[::-1]))
            assert sum(map(len, new)) == BATCH_ROWS
        one.drop()
        other.drop()

    asyncio.run(oppose())


@pytest.fixture
def least_role(dsn: str, query: Query) -> Iterator[str]:
    """A role that may do what the receiver does and nothing else."""
    query("CREATE ROLE receiver_least LOGIN")
    query("GRANT INSERT, SELECT (id, source, event_id) ON inbox TO receiver_least")
    yield dsn.replace("//postgres@", "//receiver_least@")
    query("DROP OWNED BY receiver_least")
    query("DROP ROLE receiver_least")


def test_the_least_role_is_enough(least_role: str, query: Query) -> None:
    """INSERT and three readable columns suffice; payloads cannot be read with the receiver's role."""

    async def use() -> None:
        intake = Intake(least_role)
        await intake.probe()
        assert await intake.insert([row("evt_1")])
        assert not await intake.insert([row("evt_1")])
        intake.drop()
        connection = await asyncpg.connect(least_role)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT payload FROM inbox")
        await connection.close()

    asyncio.run(use())
    assert len(query("SELECT id FROM inbox")) == 1
