"""An emptied database is as good as a new one, and much sooner there.

To copy a database takes most of a second, to truncate its tables a quarter, to delete the few rows of a test
next to nothing; only what many deletions leave behind has to be truncated now and then.
"""

from __future__ import annotations

import asyncio
from itertools import count

import asyncpg  # type: ignore[import-untyped]  # ships no annotations

from db.models import metadata
from settings.urls import for_asyncpg

# So many tests leave no more behind than a sequential scan can bear.
TRUNCATED_EVERY = 40

_TABLES = [table.name for table in reversed(metadata.sorted_tables)]
_NUMBERED = [table.name for table in metadata.sorted_tables if "id" in table.c and table.c.id.identity]
_DELETE = ";".join(
    [f"DELETE FROM {name}" for name in _TABLES]  # noqa: S608  # names of our own
    + [f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), 1, false)" for name in _NUMBERED]
)
_TRUNCATE = f"TRUNCATE {', '.join(_TABLES)} RESTART IDENTITY CASCADE"
_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_KNOWN = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_times = count(1)


def emptying() -> str:
    """The statements that empty every table and count ids from one again, as one text."""
    return _DELETE if next(_times) % TRUNCATED_EVERY else _TRUNCATE


class Emptier:
    """Empties databases between tests, by connections that stay: a new one has every table to learn first."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._connected: dict[str, asyncpg.Connection] = {}

    def close(self) -> None:
        """Leave all databases."""
        for url in list(self._connected):
            self._leave(url)
        self._runner.close()

    def as_new(self, url: str) -> bool:
        """Empty a database, whoever still uses it. False: it is of no more use, for it has other tables than
        ours, cannot be reached, or somebody holds on to a row.
        """
        while True:
            try:
                return self._runner.run(self._empty(url))
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                # The test may have ended our session with all others; a new one is worth a try.
                if not self._leave(url):
                    return False

    async def _empty(self, url: str) -> bool:
        connection = self._connected.get(url) or await asyncpg.connect(for_asyncpg(url))
        self._connected[url] = connection
        if await connection.fetchval(_KNOWN) != len(_TABLES):
            return False
        await connection.execute(f"{_OTHERS}; SET lock_timeout = '5s'; {emptying()}")
        return True

    def _leave(self, url: str) -> bool:
        """End our session, if there is one; whether somebody else had ended it."""
        connection = self._connected.pop(url, None)
        if connection is None or connection.is_closed():
            return connection is not None
        connection.terminate()
        return False
