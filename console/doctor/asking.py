"""One connection to the database for a look, and one error where it cannot be used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import create_engine
from settings.connections import Database


class UnusableError(Exception):
    """The text says why, without the password."""


@asynccontextmanager
async def connection_to(settings: Database) -> AsyncIterator[AsyncConnection]:
    """Raises UnusableError for whatever goes wrong with the database, inside as well."""
    engine = create_engine(settings.database_url_sqlalchemy, name="doctor", pool_size=1)
    try:
        async with engine.connect() as connection:
            yield connection
    except Exception as error:
        # While it connects, asyncpg's own errors come through, which have no common class but Exception.
        if not (isinstance(error, SQLAlchemyError | OSError) or hasattr(error, "sqlstate")):
            raise
        raise UnusableError(str(error) or type(error).__name__) from error
    finally:
        await engine.dispose()
