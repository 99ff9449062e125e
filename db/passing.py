"""Errors that say nothing of the work itself: the database was away or full, or somebody held a row."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# PostgreSQL's classes and codes: no connection, no room, a shutdown, a deadlock, a lock that somebody holds.
PASSING = ("08", "53", "57", "40", "55P03")
# Among them, but it may be the work that takes so long.
TOO_SLOW = "57014"


def passes(error: BaseException) -> bool:
    """Whether the same may well succeed later, with nothing changed."""
    # Not only connections that end: a socket that is gone for now is a FileNotFoundError.
    if isinstance(error, OSError | PoolTimeoutError):
        return True
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or (code_of(error) or "").startswith(PASSING)


def code_of(error: BaseException) -> str | None:
    """PostgreSQL's five characters. SQLAlchemy leaves asyncpg's errors as they are only while it connects."""
    code: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return code
