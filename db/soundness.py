"""Whether the database server keeps what it has promised to keep. Read only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Soundness:
    """`version` as `server_version_num` (180006); `at` is the server's clock; `free` connections are left.

    `owner`: our login may do anything to our tables.
    """

    version: int
    fsync: bool
    full_page_writes: bool
    synchronous_commit: str
    replica: bool
    encoding: str
    autovacuum: bool
    free: int
    owner: bool
    at: datetime


STATEMENT = text("""
    SELECT current_setting('server_version_num')::int AS version,
           current_setting('fsync')::bool AS fsync,
           current_setting('full_page_writes')::bool AS full_page_writes,
           current_setting('synchronous_commit') AS synchronous_commit,
           pg_is_in_recovery() AS replica,
           current_setting('server_encoding') AS encoding,
           current_setting('autovacuum')::bool AS autovacuum,
           current_setting('max_connections')::int
               - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS free,
           coalesce((SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('inbox')),
                    false) AS owner,
           clock_timestamp() AS at
""")


async def read(connection: AsyncConnection) -> Soundness:
    row = (await connection.execute(STATEMENT)).mappings().one()
    return Soundness(**row)


def skew(found: Soundness, before: datetime, after: datetime) -> timedelta:
    """How far this machine's clock is ahead of the server's, with the way there and back left out."""
    return before + (after - before) / 2 - found.at
