"""The connections of a process: their time-outs, and which of them are given up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from db import session
from db.passing import passes
from db.session import TIMEOUTS, at_once, create_engine, driver
from settings import SchedulerSettings
from settings.urls import for_asyncpg
from tests.settings.examples import from_env
from tests.webhooks.process import frozen

PID = "SELECT pg_backend_pid()"
WRITE = "DELETE FROM inbox"


def play(engine: AsyncEngine, scene: Callable[[], Awaitable[None]]) -> None:
    """Run a scene that uses the engine, and close it."""

    async def run() -> None:
        await scene()
        await engine.dispose()

    asyncio.run(run())


async def ask(engine: AsyncEngine, statement: str) -> object:
    """One statement in a transaction of its own; its first value, if it has any."""
    async with engine.begin() as connection:
        answer = await connection.execute(text(statement))
        return answer.scalar() if answer.returns_rows else None


def test_each_connection_has_the_time_outs_of_the_settings(database_url: str) -> None:
    """The server holds them, whatever its own defaults are."""
    settings = from_env(
        SchedulerSettings,
        DUNNING_LOCK_TIMEOUT_SECONDS="2.5",
        DUNNING_STATEMENT_TIMEOUT_SECONDS="20",
        DUNNING_IDLE_TRANSACTION_TIMEOUT_SECONDS="30",
    )
    engine = create_engine(database_url, name="test", pool_size=1, timeouts=settings.session_timeouts)

    async def scene() -> None:
        for name, value in {
            "lock_timeout": "2500ms",
            "statement_timeout": "20s",
            "idle_in_transaction_session_timeout": "30s",
            "application_name": "dunning-test",
        }.items():
            assert await ask(engine, f"SHOW {name}") == value

    play(engine, scene)
    assert from_env(SchedulerSettings).session_timeouts == TIMEOUTS


def test_a_connection_that_cannot_write_is_given_up(database_url: str) -> None:
    """A demoted server keeps its connections open: the pool lets go of all of them, and opens others."""
    engine = create_engine(database_url, name="test", pool_size=2)

    async def scene() -> None:
        async with engine.connect() as idle:
            beside = (await idle.execute(text(PID))).scalar_one()
            await idle.execute(text("SET SESSION default_transaction_read_only = on"))
            await idle.commit()
        before = await ask(engine, PID)
        assert before == beside
        with pytest.raises(DBAPIError) as caught:
            await ask(engine, WRITE)
        assert passes(caught.value)
        await ask(engine, WRITE)
        assert await ask(engine, PID) != before

    play(engine, scene)


def test_a_server_that_stands_still_is_given_up(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own limits do not run while it is frozen, so ours does; another connection works at once."""
    monkeypatch.setattr(session, "SILENCE", 0.2)
    engine = create_engine(
        database_url, name="test", pool_size=1, timeouts={**TIMEOUTS, "statement_timeout": "100"}
    )

    async def scene() -> None:
        async with engine.connect() as connection:
            pid = (await connection.execute(text(PID))).scalar_one()
            with frozen(pid):
                began = time.monotonic()
                with pytest.raises(TimeoutError):
                    await connection.execute(text("SELECT 1"))
                assert time.monotonic() - began < 2
                await ask(engine, WRITE)

    play(engine, scene)


LAST_SAID = "SELECT query FROM pg_stat_activity WHERE pid = $1"


@pytest.mark.parametrize(("rested_after", "said"), [(60.0, "COMMIT;"), (0.0, "ROLLBACK;")])
def test_only_a_connection_that_has_rested_is_asked_before_it_is_used(
    database_url: str, monkeypatch: pytest.MonkeyPatch, rested_after: float, said: str
) -> None:
    """The question takes three round trips, the last of which ends its transaction."""
    monkeypatch.setattr(session, "RESTED", rested_after)
    engine = create_engine(database_url, name="test", pool_size=1)

    async def scene() -> None:
        pid = await ask(engine, PID)
        watching = await asyncpg.connect(for_asyncpg(database_url))
        async with engine.connect():
            assert await watching.fetchval(LAST_SAID, pid) == said
        await watching.close()

    play(engine, scene)


def test_a_connection_that_the_server_has_closed_is_replaced(database_url: str) -> None:
    """Without a question, and before anything is lost by it."""
    engine = create_engine(database_url, name="test", pool_size=1)

    async def scene() -> None:
        async with engine.connect() as connection:
            before = (await connection.execute(text(PID))).scalar_one()
            raw: Any = (await connection.get_raw_connection()).driver_connection
        closed = asyncio.Event()
        raw.add_termination_listener(lambda _: closed.set())
        other = await asyncpg.connect(for_asyncpg(database_url))
        await other.execute("SELECT pg_terminate_backend($1, 2000)", before)
        await other.close()
        async with asyncio.timeout(5):
            await closed.wait()
        assert await ask(engine, PID) != before

    play(engine, scene)


def test_a_statement_may_be_a_transaction_by_itself(database_url: str) -> None:
    """It stays without a commit; the connection goes back as it was."""
    engine = create_engine(database_url, name="test", pool_size=1)

    async def scene() -> None:
        async with at_once(engine) as connection:
            await connection.execute(text("CREATE TABLE kept (id int)"))
        async with engine.connect() as connection:
            await connection.execute(text("DROP TABLE kept"))
        await ask(engine, "DROP TABLE kept")

    play(engine, scene)


async def drop(engine: AsyncEngine) -> None:
    async with driver(engine) as connection:
        await connection.execute("DROP TABLE kept")


def test_the_drivers_own_connection_is_not_used_again_after_an_error(database_url: str) -> None:
    """Without one it goes back to the pool, and its statement stays without a commit."""
    engine = create_engine(database_url, name="test", pool_size=1)

    async def scene() -> None:
        async with driver(engine) as connection:
            await connection.execute("CREATE TABLE kept (id int)")
            before = await connection.fetchval(PID)
        assert await ask(engine, PID) == before
        async with driver(engine) as connection:
            await connection.execute("SET SESSION default_transaction_read_only = on")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await drop(engine)
        await ask(engine, "DROP TABLE kept")
        assert await ask(engine, PID) != before

    play(engine, scene)


def test_a_lock_that_somebody_holds_passes_and_a_mistake_does_not(database_url: str) -> None:
    """What may be tried again with nothing changed is told from what may not."""
    engine = create_engine(
        database_url, name="test", pool_size=2, timeouts={**TIMEOUTS, "lock_timeout": "20"}
    )

    async def scene() -> None:
        async with engine.begin() as holder:
            await holder.execute(text("LOCK TABLE inbox"))
            with pytest.raises(DBAPIError) as held:
                await ask(engine, WRITE)
        with pytest.raises(DBAPIError) as mistake:
            await ask(engine, "SELECT 1 / 0")
        assert (passes(held.value), passes(mistake.value)) == (True, False)

    play(engine, scene)


def test_a_socket_that_is_gone_is_no_fault_of_the_work() -> None:
    """While PostgreSQL is started anew it does not exist, which is no ConnectionError, and yet passes."""
    engine = create_engine("postgresql+asyncpg://postgres@/x?host=/nowhere", name="test", pool_size=1)

    async def scene() -> None:
        with pytest.raises(OSError, match="No such file") as gone:
            await ask(engine, "SELECT 1")
        assert passes(gone.value)

    play(engine, scene)
