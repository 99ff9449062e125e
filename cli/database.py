"""How commands use the database: one snapshot to read, one transaction to write, errors in a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from cli.output import CommandError
from settings import ToolSettings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")

CONNECT_LIMIT = 5  # seconds
SERVER = {"statement_timeout": "15000", "lock_timeout": "5000", "timezone": "UTC"}
SILENCE = 20  # seconds after which a server that says nothing is given up; it has a limit of its own before
READ_ONLY = SERVER | {"default_transaction_read_only": "on"}

_UNDEFINED = ("42P01", "42703")  # table, column


def read(settings: ToolSettings, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run `work` on a connection that sees one moment of the database and can change nothing.

    Raises CommandError when the database cannot be reached or was never migrated.
    """
    return run(_read(settings.database_url_sqlalchemy, work))


def write(settings: ToolSettings, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run `work` in one transaction, committed when it returns and undone when it raises.

    Raises CommandError as `read` does.
    """
    return run(_write(settings.database_url_sqlalchemy, work))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run work that uses the database to its end. Raises CommandError as `read` does."""
    from sqlalchemy.exc import DBAPIError

    try:
        return asyncio.run(work)
    except DBAPIError as error:
        raise failure(error.orig or error, getattr(error.orig, "sqlstate", None)) from error
    except Exception as error:
        # SQLAlchemy leaves asyncpg's errors as they are only while it connects.
        if isinstance(error, OSError) or hasattr(error, "sqlstate"):
            raise failure(error, getattr(error, "sqlstate", None)) from error
        raise


def failure(error: BaseException, sqlstate: str | None) -> CommandError:
    """What a person is told of a database that could not be used."""
    if sqlstate in _UNDEFINED:
        return CommandError("The database has not been migrated.", "Run `dunning migrate`.")
    reason = str(error) or type(error).__name__
    return CommandError(f"The database cannot be used: {reason}", "Look at DATABASE_URL.")


async def _read(url: str, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    async with snapshot_of(url) as connection:
        return await work(connection)


async def _write(url: str, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    async with _connection(url, SERVER) as connection, connection.begin():
        return await work(connection)


@asynccontextmanager
async def snapshot_of(url: str, exported: str | None = None) -> AsyncIterator[AsyncConnection]:
    """A connection that sees one moment: its first statement's, or that of an `exported` snapshot."""
    from sqlalchemy import text

    async with _connection(url, READ_ONLY, isolation_level="REPEATABLE READ") as connection:
        if exported:
            # The statement takes no parameters; the server gives such names out itself.
            quoted = exported.replace("'", "''")
            await connection.execute(text(f"SET TRANSACTION SNAPSHOT '{quoted}'"))
        yield connection


@asynccontextmanager
async def _connection(url: str, server: dict[str, str], **options: Any) -> AsyncIterator[AsyncConnection]:
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    from db.connecting import connect

    engine = create_async_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        **options,
        connect_args={
            "async_creator_fn": connect,
            "timeout": CONNECT_LIMIT,
            "command_timeout": SILENCE,
            "server_settings": server | {"application_name": "dunning-command"},
        },
    )
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()
