"""Everything measurements run on: real servers that keep what they confirm, programs, the load generator."""

import asyncio
import contextlib
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import redis

from benchmarks.errors import BenchmarkError
from benchmarks.load import Generator, generator
from benchmarks.programs import Program, Programs, programs
from db.migrate import upgrade
from db.models import metadata
from sandbox import merchant
from sandbox.postgres import PostgresServer, embedded_postgres
from sandbox.programs import free_port
from sandbox.runtime import clean_environment
from sandbox.valkey import ValkeyServer, embedded_valkey
from settings.urls import for_asyncpg

SECRET = "whsec_test_benchmarks"  # noqa: S105  signs events of our own making only
API_KEY = "test-key-of-the-benchmarks"
_TEMPLATE = "migrated"
# What a worker or an API keeps about itself stays, and so does the schema's version.
_KEPT = {"heartbeats"}
_ATTEMPTS = 5


@dataclass
class House:
    """The servers, shared by all rows; each row makes databases and programs of its own."""

    postgres: PostgresServer
    valkey: ValkeyServer
    programs: Programs
    generator: Generator
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def database(self, *, migrated: bool = True) -> str:
        """The url of a new database, with our schema or with nothing."""
        name = f"bench_{next(self._numbers)}"
        return self.postgres.create_database(name, template=_TEMPLATE if migrated else None)

    def copy(self, database_url: str) -> str:
        """The url of a new database that begins as a copy of this one, which nobody may be using."""
        template = database_url.partition("?")[0].rpartition("/")[2]
        return self.postgres.create_database(f"bench_{next(self._numbers)}", template)

    def redis(self, number: int) -> str:
        """One of the server's sixteen numbered key spaces."""
        return f"{self.valkey.url}?db={number}"

    def environment(self, database_url: str, redis_url: str, **settings: str) -> dict[str, str]:
        """The settings of one of our programs, and nothing of the caller's own."""
        ours = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "STRIPE_WEBHOOK_SECRETS": SECRET,
            "STRIPE_API_KEY": "sk_test_benchmarks0123456789abcdef",
            "SMTP_URL": "smtp://127.0.0.1:1",
            "DUNNING_LIVEMODE": "false",
            # What is measured is a wave of failures.
            "DUNNING_BREAKER": "off",
            "DUNNING_API_KEYS": API_KEY,
            "DUNNING_LOG_FORMAT": "json",
        }
        return clean_environment() | dict(merchant.SETTINGS) | ours | settings

    def start_server(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], port_setting: str
    ) -> Program:
        """A program that listens on a port it is told, once it answers `/healthz`."""
        program = self.launch_server(name, command, environment, port_setting)
        program.wait_for_health()
        return program

    def launch_server(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], port_setting: str
    ) -> Program:
        """The same, without waiting for it."""
        port = free_port()
        return self.programs.start(name, command, {**environment, port_setting: str(port)}, port=port)

    def query(self, database_url: str, statement: str, *values: object) -> list[Any]:
        """Run one statement; its rows."""
        return asyncio.run(_query(for_asyncpg(database_url), statement, *values))

    def execute(self, database_url: str, *statements: str) -> None:
        """Run statements that answer nothing; each argument at the same time, on a connection of its own."""
        asyncio.run(_execute_all(for_asyncpg(database_url), statements))

    def wait_until_none(
        self, database_url: str, statement: str, what: str, *, seconds: float, every: float
    ) -> None:
        """Return when `statement` has no row any more: asked by one connection, so that asking costs little.

        Raises BenchmarkError when it still has one after `seconds`.
        """
        asyncio.run(_wait_until_none(for_asyncpg(database_url), statement, what, seconds, every))

    def empty(self, database_url: str, keep: Collection[str] = ()) -> None:
        """Remove all rows of our tables, but not what processes say of themselves, and not those to `keep`.

        What is kept must not refer to what is not.
        """
        names = ", ".join(name for name in metadata.tables if name not in _KEPT.union(keep))
        for attempt in itertools.count(1):
            try:
                self.query(database_url, f"TRUNCATE {names} RESTART IDENTITY CASCADE")
            # A scheduler that looks for work now may hold what we wait for, and wait for what we hold.
            except asyncpg.DeadlockDetectedError:
                if attempt == _ATTEMPTS:
                    raise
            else:
                return

    def forget(self, redis_url: str) -> None:
        """Remove every message."""
        with redis.Redis.from_url(redis_url) as client:
            client.flushdb()


async def _query(dsn: str, statement: str, *values: object) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


async def _wait_until_none(dsn: str, statement: str, what: str, seconds: float, every: float) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(seconds):
            while await connection.fetchrow(statement):  # noqa: ASYNC110  # nobody tells us of a row that is gone
                await asyncio.sleep(every)
    except TimeoutError:
        raise BenchmarkError(f"waited {seconds:.0f} s for {what}") from None
    finally:
        await connection.close()


async def _execute_all(dsn: str, statements: Sequence[str]) -> None:
    await asyncio.gather(*(_execute(dsn, each) for each in statements))


async def _execute(dsn: str, statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


@contextlib.contextmanager
def house() -> Iterator[House]:
    """Run the servers and the load generator while the block runs; everything ends with it."""
    with contextlib.ExitStack() as stack:
        # Durable: a commit waits for the disk, as it does where events must not get lost.
        postgres = stack.enter_context(embedded_postgres(durable=True))
        valkey = stack.enter_context(embedded_valkey())
        upgrade(postgres.create_database(_TEMPLATE))
        yield House(postgres, valkey, stack.enter_context(programs()), stack.enter_context(generator()))
