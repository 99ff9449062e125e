"""One engine per process, with time-outs that keep a dead process from holding a row for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from db.connecting import connect

# Milliseconds. A host that loses power keeps its row locks until TCP notices, two hours by default.
TIMEOUTS: Mapping[str, str] = MappingProxyType(
    {
        "lock_timeout": "5000",
        "statement_timeout": "10000",
        "idle_in_transaction_session_timeout": "15000",
    }
)
# Seconds.
CONNECT_LIMIT = 5.0
# What a server may be silent for beyond its own limit of a statement: one that stands still keeps to none.
SILENCE = 5.0
# Connections beyond the size of a pool, while many are wanted at once.
OVERFLOW = 2

# A connection that was used so recently is asked no question before it is used again.
RESTED = 5.0

READ_ONLY = "25006"


def create_engine(
    url: str, *, name: str, pool_size: int, timeouts: Mapping[str, str] = TIMEOUTS
) -> AsyncEngine:
    """An engine for `url` (postgresql+asyncpg://...), not connected yet. Create it inside the running loop.

    `name` is what pg_stat_activity shows, `timeouts` are the server's settings, in milliseconds; 0 is none.
    Bound values never appear in exception texts, so never in logs.
    """
    statement = int(timeouts["statement_timeout"]) / 1000
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=OVERFLOW,
        # The last one back goes out first: what it has prepared is planned already.
        pool_use_lifo=True,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "async_creator_fn": connect,
            "timeout": CONNECT_LIMIT,
            "command_timeout": statement + SILENCE if statement else None,
            "server_settings": {**timeouts, "timezone": "UTC", "application_name": f"dunning-{name}"},
        },
    )
    event.listen(engine.sync_engine, "handle_error", _drop_what_is_of_no_use)
    _ask_only_the_rested(engine)
    return engine


@asynccontextmanager
async def at_once(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection on which each statement is a transaction: it takes one round trip, not three."""
    async with engine.connect() as connection:
        yield await connection.execution_options(isolation_level="AUTOCOMMIT")


@asynccontextmanager
async def driver(engine: AsyncEngine) -> AsyncIterator[Any]:
    """asyncpg's own connection, in no transaction: for one statement that comes before every mail.

    SQLAlchemy's way to a statement takes five times as long as such a statement does. Errors are asyncpg's,
    and a connection on which one was raised is not used again.
    """
    connection = await engine.raw_connection()
    try:
        yield connection.driver_connection
    except BaseException:
        connection.invalidate()
        raise
    finally:
        await greenlet_spawn(connection.close)


def _ask_only_the_rested(engine: AsyncEngine) -> None:
    """Before each use SQLAlchemy would ask, in three round trips, whether a connection is still of use.

    Whether the server has closed it is known without. What only a question can tell, that somebody between
    us and the server has forgotten it, happens to connections that rest.
    """
    dialect = engine.sync_engine.dialect
    ask = dialect.do_ping
    used_at: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def is_alive(connection: Any) -> bool:
        driver = connection.driver_connection
        if driver.is_closed():
            return False
        return monotonic() - used_at.get(driver, 0.0) < RESTED or ask(connection)

    def given_back(connection: Any, _: object) -> None:
        if connection is not None:
            used_at[connection.driver_connection] = monotonic()

    event.listen(engine.sync_engine, "checkin", given_back)
    dialect.do_ping = is_alive  # type: ignore[assignment, method-assign]  # SQLAlchemy has no event for it


def _drop_what_is_of_no_use(context: ExceptionContext) -> None:
    """A connection may be open and of no use: its server was demoted, or says nothing any more.

    The pool would hand it out again and again. Every other one of the pool leads to the same server, so all
    are given up, and the next look at the address may find the new primary.
    """
    error = context.original_exception
    if getattr(error, "sqlstate", None) == READ_ONLY or isinstance(error, TimeoutError):
        context.is_disconnect = True
