"""Two ways to keep what an event says: in its row, and in a table of its own with a partition a day."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.month import rows
from db import inbox, retention
from db.intake import Intake, Row
from db.retention import Keep

Took = list[tuple[int, float]]
"""Of each statement: how many rows, and how many seconds."""

_FOR_EVER = Keep(**dict.fromkeys(Keep.__slots__, timedelta(days=3650)))


class Layout:
    """One of them, in a database of its own: our schema as it is, with `DDL` after it."""

    name: str
    DDL: Sequence[str] = ()

    def __init__(self, dsn: str, engine: AsyncEngine) -> None:
        self.engine = engine
        self._intake = Intake(dsn)

    def fillers(self) -> Mapping[str, str]:
        """The statements that make a month, by what they make."""
        return {"inbox": rows.INBOX}

    async def store(self, stored: Sequence[Row]) -> list[int]:
        """As the receiver does: one statement, one commit. Their ids."""
        return list((await self._intake.insert(stored)).values())

    async def take_up(self, ids: Sequence[int]) -> list[bytes]:
        """Begin with these, as a worker does; what they say."""
        async with self.engine.begin() as connection:
            return [row.payload for row in await inbox.take_up(connection, ids)]

    async def take_away(self, batch: int) -> Took:
        """Take away what the events of the oldest day say."""
        return await self._prune("payloads", batch)

    async def remove(self, batch: int) -> Took:
        """Remove the events of the oldest day altogether."""
        return await self._prune("events", batch)

    async def _prune(self, what: str, batch: int) -> Took:
        keep = replace(_FOR_EVER, **{what: timedelta(days=rows.DAYS - 1)})
        took: Took = []
        while not took or took[-1][0] == batch:
            begun = time.perf_counter()
            async with self.engine.begin() as connection:
                gone = (await retention.prune(connection, keep, batch=batch))[what]
            took.append((gone, time.perf_counter() - begun))
        return took

    async def close(self) -> None:
        """Disconnect."""
        self._intake.drop()
        await self.engine.dispose()


class OneTable(Layout):
    """Our own. PostgreSQL keeps contents beside the rows, but for those of less than two kilobytes."""

    name = "one table"


class Partitions(Layout):
    """In a table of its own with a partition a day, which is dropped as a whole."""

    name = "partitions"
    DDL = (
        """CREATE TABLE inbox_bodies (
               received_at timestamptz NOT NULL, inbox_id bigint NOT NULL, payload bytea NOT NULL,
               PRIMARY KEY (received_at, inbox_id)) PARTITION BY RANGE (received_at)""",
        f"""DO $$ BEGIN FOR day IN -{rows.DAYS + 1} .. 1 LOOP
                EXECUTE format('CREATE TABLE inbox_bodies_%s PARTITION OF inbox_bodies FOR VALUES '
                               'FROM (%L) TO (%L)', lpad((day + {rows.DAYS + 1})::text, 2, '0'),
                               date_trunc('day', now()) + make_interval(days => day),
                               date_trunc('day', now()) + make_interval(days => day + 1));
            END LOOP; END $$""",
    )
    _STORE = """
        WITH given AS (
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[],
                                 $5::timestamptz[], $6::text[], $7::text[], $8::bytea[])
                     AS given (source, event_id, type, livemode, created_at, status, last_error, payload)),
        stored AS (
            INSERT INTO inbox (source, event_id, type, livemode, created_at, status, last_error)
            SELECT source, event_id, type, livemode, created_at, status, last_error FROM given
            ON CONFLICT (source, event_id) DO NOTHING
            RETURNING id, source, event_id, received_at),
        kept AS (
            INSERT INTO inbox_bodies (inbox_id, received_at, payload)
            SELECT id, received_at, payload FROM stored JOIN given USING (source, event_id))
        SELECT id FROM stored
    """
    _SAID = text("""
        SELECT payload FROM unnest(CAST(:ids AS bigint[]), CAST(:ats AS timestamptz[])) taken (id, at)
        JOIN inbox_bodies ON received_at = at AND inbox_id = id
    """)

    # The first one after those that are empty since the month begins within them.
    _OLDEST = text("""
        SELECT relname, reltuples FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'inbox_bodies'::regclass AND reltuples > 0 ORDER BY relname LIMIT 1 OFFSET 1
    """)

    def __init__(self, dsn: str, engine: AsyncEngine) -> None:
        super().__init__(dsn, engine)
        self._dsn = dsn
        self._writer: Any = None

    def fillers(self) -> Mapping[str, str]:
        return {"inbox": rows.KEYS, "inbox_bodies": rows.PAYLOADS}

    async def store(self, stored: Sequence[Row]) -> list[int]:
        if self._writer is None:
            self._writer = await asyncpg.connect(self._dsn)
        columns = zip(*(rows.values(row) for row in sorted(stored, key=lambda row: row.key)), strict=True)
        return [row["id"] for row in await self._writer.fetch(self._STORE, *columns)]

    async def take_up(self, ids: Sequence[int]) -> list[bytes]:
        async with self.engine.begin() as connection:
            taken = await inbox.take_up(connection, ids)
            found = {"ids": [row.id for row in taken], "ats": [row.received_at for row in taken]}
            return list((await connection.execute(self._SAID, found)).scalars())

    async def take_away(self, batch: int) -> Took:
        async with self.engine.connect() as connection:
            own = await connection.execution_options(isolation_level="AUTOCOMMIT")
            found = (await own.execute(self._OLDEST)).one()
            begun = time.perf_counter()
            await own.execute(text(f"ALTER TABLE inbox_bodies DETACH PARTITION {found.relname} CONCURRENTLY"))
            await own.execute(text(f"DROP TABLE {found.relname}"))
            return [(int(found.reltuples), time.perf_counter() - begun)]

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
        await super().close()


LAYOUTS: Mapping[str, type[Layout]] = {each.name: each for each in (OneTable, Partitions)}
