"""The receiver's only way into the database: one connection that inserts into the inbox, and nothing else.

asyncpg alone, because this runs in the receiver, which must start fast and stay small. The database role
needs INSERT on `inbox` and SELECT on its columns id, source and event_id.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations

from db.connecting import connect

CONNECT_LIMIT = 1.0  # seconds to connect and prepare
STATEMENT_LIMIT = 1.5  # seconds; a provider's request is given up by then

_INSERT = """
INSERT INTO inbox (source, event_id, type, livemode, created_at, status, last_error, payload)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[],
                     $5::timestamptz[], $6::text[], $7::text[], $8::bytea[])
ON CONFLICT (source, event_id) DO NOTHING
RETURNING id, source, event_id
"""

_SESSION = {
    "application_name": "dunning-receiver",
    "statement_timeout": str(int(STATEMENT_LIMIT * 1000)),
    # Each statement is a transaction: one that stays open, or waits for so long, is a fault.
    "lock_timeout": str(int(STATEMENT_LIMIT * 1000)),
    "idle_in_transaction_session_timeout": str(int(STATEMENT_LIMIT * 1000)),
    # An answered event must survive a power cut, whatever the server's default.
    "synchronous_commit": "on",
}

_DATA_ERRORS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,  # such as a value too long for the index
)
_CONNECTION_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

Key = tuple[str, str]
"""Source and event id."""


class Unavailable(Exception):  # noqa: N818 -- the state of the database, not a fault of ours
    """The database did not confirm the statement in time. Its text is a reason code, safe to log."""


class Unstorable(Exception):  # noqa: N818 -- as above
    """The database can be reached, but refuses a value. Its text is a reason code, safe to log."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event on its way into the inbox, in the order of the statement's arguments.

    `note` says why an event is ignored; an ignored one has no payload.
    """

    source: str
    event_id: str
    type: str
    livemode: bool
    created_at: datetime | None
    status: str
    note: str | None
    payload: bytes | None

    @property
    def key(self) -> Key:
        """What makes it the same event."""
        return self.source, self.event_id


_values = attrgetter(*(field.name for field in fields(Row)))
_NOTHING: Sequence[Sequence[object]] = [[] for _ in fields(Row)]


class Intake:
    """One connection to the inbox, opened when first needed and again after any failure.

    Not for concurrent use: one statement at a time.
    """

    def __init__(self, dsn: str) -> None:
        """`dsn` as asyncpg takes it. Nothing is opened yet."""
        self._dsn = dsn
        self._connection: Any = None
        self._insert: Any = None

    async def insert(self, rows: Sequence[Row]) -> Mapping[Key, int]:
        """Insert `rows` by one statement and one commit; the ids of those that were new, by key.

        Raises Unavailable when the commit was not confirmed (trying again is safe: what did get stored counts
        as a duplicate), or Unstorable when a value in one of the rows is refused, and then none is stored.
        """
        # Two receivers that insert the same events in different orders would deadlock.
        columns = zip(*map(_values, sorted(rows, key=attrgetter("key"))), strict=True)
        try:
            statement = self._insert if self.is_open else await self._open()
            stored = await statement.fetch(*columns)
        except _DATA_ERRORS as error:
            raise Unstorable(type(error).__name__) from None  # the error quotes the values
        except _CONNECTION_ERRORS as error:
            self.drop()
            raise Unavailable(type(error).__name__) from None
        return {(row["source"], row["event_id"]): row["id"] for row in stored}

    async def probe(self) -> None:
        """Return when the inbox takes rows, or raise Unavailable.

        To insert nothing is refused just as a row is: by a standby, without rights, without the table.
        """
        try:
            statement = self._insert if self.is_open else await self._open()
            await statement.fetch(*_NOTHING, timeout=CONNECT_LIMIT)
        except _CONNECTION_ERRORS as error:
            self.drop()
            raise Unavailable(type(error).__name__) from None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that is not known to be broken."""
        return self._connection is not None and not self._connection.is_closed()

    def drop(self) -> None:
        """Close the connection without a word to the server, which may be frozen."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = self._insert = None

    async def _open(self) -> Any:
        self.drop()
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                self._connection = await connect(
                    self._dsn,
                    timeout=CONNECT_LIMIT,
                    command_timeout=STATEMENT_LIMIT,
                    server_settings=_SESSION,
                )
                self._insert = await self._connection.prepare(_INSERT)
        except Exception as error:  # a certificate, a parameter, a missing table: nothing can be stored now
            self.drop()
            raise Unavailable(type(error).__name__) from None
        return self._insert
