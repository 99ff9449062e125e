"""Several hosts, of which one can write: it is found whatever the others do."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest

from db.connecting import NoPrimaryError, connect
from db.intake import Intake, Unavailable
from sandbox.postgres import PostgresServer
from settings.urls import for_asyncpg, for_sqlalchemy
from tests.db.test_session import ask, create_engine, play


@pytest.fixture
def silence() -> Iterator[str]:
    """A host that takes connections and never says a word, as one that has lost its power."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def two_hosts(silence: str, database_url: str) -> str:
    """The silent one first, then the real one."""
    place, _, port = silence.partition(":")
    return database_url.replace("?host=", f"?host={place},").replace("port=5432", f"port={port},5432")


def test_a_silent_host_costs_the_next_one_no_time(two_hosts: str) -> None:
    """asyncpg by itself would spend its whole time-out on the first host, at each attempt."""

    async def scene() -> None:
        began = time.monotonic()
        connection = await connect(for_asyncpg(two_hosts), timeout=5)
        assert await connection.fetchval("SELECT 1") == 1
        assert time.monotonic() - began < 2
        await connection.close()

    asyncio.run(scene())
    engine = create_engine(for_sqlalchemy(two_hosts), name="test", pool_size=1)

    async def by_sqlalchemy() -> None:
        assert await ask(engine, "SELECT 1") == 1

    play(engine, by_sqlalchemy)


def test_no_host_that_can_write_is_an_error_of_the_network(
    two_hosts: str, database_url: str, postgres_server: PostgresServer
) -> None:
    """Whoever waits for a database waits for this one, too. Who only reads takes it, the receiver not."""
    name = for_asyncpg(database_url).partition("?")[0].rpartition("/")[2]

    async def scene() -> None:
        admin = await connect(for_asyncpg(database_url), timeout=5)
        await admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            with pytest.raises(NoPrimaryError, match="read_write"):
                await connect(for_asyncpg(two_hosts), timeout=0.5)
            reads = {"default_transaction_read_only": "on"}
            reader = await connect(for_asyncpg(two_hosts), timeout=5, server_settings=reads)
            await reader.close()
            with pytest.raises(Unavailable, match="ReadOnlySQLTransactionError"):
                await Intake(for_asyncpg(database_url)).probe()
        finally:
            await admin.execute("SET default_transaction_read_only = off")
            await admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            await admin.close()

    asyncio.run(scene())
