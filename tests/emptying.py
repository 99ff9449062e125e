"""An emptied database is as good as a new one, and much sooner there.

To copy a database takes most of a second, to truncate its tables a quarter, to delete the few rows of a test
next to nothing; only what many deletions leave behind has to be truncated now and then.
"""

from __future__ import annotations

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


async def as_new(url: str) -> bool:
    """Empty a database, whoever still uses it. False: it has other tables than ours, and is of no more use.

    Raises asyncpg.PostgresError or OSError where it cannot be reached, or somebody holds on to a row.
    """
    connection = await asyncpg.connect(for_asyncpg(url))
    try:
        if await connection.fetchval(_KNOWN) != len(_TABLES):
            return False
        await connection.execute(f"{_OTHERS}; SET lock_timeout = '5s'; {emptying()}")
        return True
    finally:
        await connection.close()
