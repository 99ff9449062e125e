"""The access API's way to the database: a pool that answers within a limit or says that it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import structlog

from console.gathering import Gathering
from db import access, key_lookup, schema
from db.access import AccessRow, Asked, CaseLink
from db.connecting import connect
from db.key_lookup import GoodKey
from db.schema import BehindError

log = structlog.get_logger()

T = TypeVar("T")

# Seconds from the question to the answer or the refusal, with connecting and waiting for a free connection.
LIMIT = 1.5

BEHIND = "schema.behind"

_FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Unavailable(Exception):  # noqa: N818 -- the state of the database, not a fault of ours
    """The database did not answer in time. Its text is a reason code, safe to log."""


async def _leave_as_it_is(_: Any) -> None:
    """Between two uses of a connection nothing is put back: no statement of ours changes its state."""


class Store:
    """Reads access through a pool of connections, opened as they are needed. Lives in one event loop."""

    def __init__(self, dsn: str, pool_size: int = 10) -> None:
        """`dsn` as asyncpg takes it. Nothing is opened yet."""
        self._dsn = dsn
        self._pool_size = pool_size
        self._pool: Any = None
        self._reachable = True
        self._gathering: Gathering[Asked, AccessRow | None] = Gathering(self._look)

    async def start(self) -> None:
        """Make the pool and try it once. The database may come later."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=self._pool_size,
            connect=connect,
            timeout=LIMIT,
            reset=_leave_as_it_is,  # the default is a second statement for each question
            server_settings={
                "application_name": "dunning-api",
                "default_transaction_read_only": "on",
                "statement_timeout": str(int(LIMIT * 1000)),
                "lock_timeout": str(int(LIMIT * 1000)),
                "idle_in_transaction_session_timeout": str(int(LIMIT * 1000)),
                "timezone": "UTC",
            },
        )
        try:
            await self.probe()
        except Unavailable:
            return  # logged; each request says so by itself

    async def close(self) -> None:
        """Close every connection, without a word to the server, which may be frozen."""
        self._pool.terminate()

    async def access(self, source: str | None, customer: str) -> AccessRow | None:
        """What `db.access.read` finds. Raises Unavailable within LIMIT seconds."""
        try:
            async with asyncio.timeout(LIMIT):
                return await self._gathering.ask((source, customer))
        except TimeoutError as error:  # it has waited behind others; what befell them is logged
            raise Unavailable(type(error).__name__) from None

    async def _look(self, asked: Sequence[Asked]) -> Sequence[AccessRow | None]:
        return await self._ask(lambda connection: access.read_many(connection, asked))

    async def access_with_link(
        self, source: str | None, customer: str
    ) -> tuple[AccessRow, CaseLink | None] | None:
        """What `db.access.read_with_link` finds. Raises Unavailable within LIMIT seconds."""
        return await self._ask(lambda connection: access.read_with_link(connection, source, customer))

    async def good_keys(self) -> Mapping[bytes, GoodKey]:
        """What `db.key_lookup.read` finds. Raises Unavailable within LIMIT seconds."""
        return await self._ask(key_lookup.read)

    async def probe(self) -> None:
        """Return when access can be read, by this version. Raises Unavailable within LIMIT seconds."""
        try:
            await self._ask(access.probe)
            await self._ask(schema.check)
        except BehindError as behind:
            log.warning("schema.behind", database=str(behind), needed=schema.HEAD, cure="dunning migrate")
            raise Unavailable(BEHIND) from None

    async def _ask(self, question: Callable[[Any], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(LIMIT):
                answered = await self._on_a_connection(question)
        except _FAILURES as error:
            self._note(type(error).__name__)
            raise Unavailable(type(error).__name__) from None
        self._note(None)
        return answered

    async def _on_a_connection(self, question: Callable[[Any], Awaitable[T]]) -> T:
        connection = await self._pool.acquire()
        try:
            return await question(connection)
        except BaseException:
            # Interrupted or failed: asyncpg would wait for the server to confirm, which may never happen.
            connection.terminate()
            raise
        finally:
            await self._pool.release(connection)

    def _note(self, failure: str | None) -> None:
        """Log changes only: a minute without a database is two lines."""
        if failure and self._reachable:
            log.warning("database.unreachable", reason=failure)
        elif not failure and not self._reachable:
            log.info("database.reachable")
        self._reachable = failure is None
