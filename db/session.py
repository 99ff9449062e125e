"""One engine per process, with time-outs that keep a dead process from holding a row for ever."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

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
    return engine


def _drop_what_is_of_no_use(context: ExceptionContext) -> None:
    """A connection may be open and of no use: its server was demoted, or says nothing any more.

    The pool would hand it out again and again. Every other one of the pool leads to the same server, so all
    are given up, and the next look at the address may find the new primary.
    """
    error = context.original_exception
    if getattr(error, "sqlstate", None) == READ_ONLY or isinstance(error, TimeoutError):
        context.is_disconnect = True
