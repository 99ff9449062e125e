"""One engine per process, with time-outs that keep a dead process from holding a row for ever."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

# Milliseconds. A host that loses power keeps its row locks until TCP notices, two hours by default.
SERVER_SETTINGS = {
    "lock_timeout": "5000",
    "statement_timeout": "10000",
    "idle_in_transaction_session_timeout": "15000",
    "timezone": "UTC",
}


def create_engine(url: str, *, name: str, pool_size: int) -> AsyncEngine:
    """An engine for `url` (postgresql+asyncpg://...), not connected yet. Create it inside the running loop.

    `name` is what pg_stat_activity shows. Bound values never appear in exception texts, so never in logs.
    """
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=2,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "server_settings": SERVER_SETTINGS | {"application_name": f"dunning-{name}"},
        },
    )
