"""Which schema a database has, beside the one that this version was written for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

# Migrations are a chain of four digits, so that they can be compared.
REVISIONS = tuple(
    sorted(path.stem[:4] for path in (Path(__file__).parent / "migrations/versions").glob("0*.py"))
)
HEAD = REVISIONS[-1]

READ = "SELECT version_num FROM alembic_version"

Standing = Literal["behind", "current", "ahead"]


@dataclass(frozen=True, slots=True)
class Schema:
    """`revision` is that of the last migration that was run; None: none ever was."""

    revision: str | None

    @property
    def standing(self) -> Standing:
        """Behind is of no use to this version; ahead is, since migrations only add."""
        if self.revision is None or self.revision < HEAD:
            return "behind"
        return "ahead" if self.revision > HEAD else "current"

    @property
    def waiting(self) -> list[str]:
        """Migrations that the database has not had yet, oldest first."""
        return [revision for revision in REVISIONS if revision > (self.revision or "")]


# What PostgreSQL's codes say of it: there is no such table; and somebody has given our role the tables that
# it needs, and not this one: then nothing is known against them.
UNREAD: dict[str | None, Schema] = {"42P01": Schema(None), "42501": Schema(HEAD)}


class BehindError(Exception):
    """Its text is the revision that the database has."""


async def read(connection: AsyncConnection) -> Schema:
    """The database's. Leaves the transaction as it was. Raises what SQLAlchemy raises."""
    try:
        async with connection.begin_nested():
            return Schema((await connection.execute(text(READ))).scalar_one_or_none())
    except ProgrammingError as error:
        if (found := UNREAD.get(getattr(error.orig, "sqlstate", None))) is None:
            raise
        return found


async def check(connection: Any) -> None:
    """Raise BehindError where this version's statements may fail; all else is asyncpg's."""
    try:
        found = Schema(await connection.fetchval(READ))
    except asyncpg.SyntaxOrAccessError as error:
        if error.sqlstate not in UNREAD:
            raise
        found = UNREAD[error.sqlstate]
    if found.standing == "behind":
        raise BehindError(found.revision or "none")
