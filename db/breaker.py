"""The breaker's rows, and what it counts. All times are the database's clock; test clocks are left out.

One row at most is not released: a partial unique index lets the first of two schedulers insert it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import alarms
from db.models import breaker
from dunning.breaker import HOURS, Failures, Limits, Revocations, enough_base, enough_week
from dunning.declines import CODES, Category

# Any constant of our own: revocations are counted and made by one transaction at a time.
REVOCATION_LOCK = 0x7265766B

_HOLDS: ColumnElement[bool] = breaker.c.released_at.is_(None)
_NOW = select(breaker).where(_HOLDS)


@dataclass(frozen=True, slots=True)
class Tripped:
    """The breaker holds everything back. `by`: the person who wanted it so, or None: it was a surge."""

    id: int
    at: datetime
    reason: str
    by: str | None


async def tripped(connection: AsyncConnection) -> Tripped | None:
    """What holds everything back now, if anything does."""
    return _tripped((await connection.execute(_NOW)).mappings().one_or_none())


async def trip(connection: AsyncConnection, reason: str, *, by: str | None = None) -> bool:
    """Hold everything back from now on, and have the team called. False: it is held back already."""
    values = {"reason": reason, "tripped_by": by}
    added = await connection.execute(
        insert(breaker).values(values).on_conflict_do_nothing().returning(breaker.c.id)
    )
    row_id = added.scalar_one_or_none()
    if row_id is None:
        return False
    await alarms.sound(connection, "breaker", row_id, {"reason": reason, "by": by})
    return True


async def release(connection: AsyncConnection, *, by: str, why: str) -> Tripped | None:
    """Let go of what is held back, and return what held it; None: nothing did."""
    released = {"released_at": func.clock_timestamp(), "released_by": by, "released_why": why}
    done = await connection.execute(update(breaker).where(_HOLDS).values(released).returning(breaker))
    held = _tripped(done.mappings().one_or_none())
    if held:
        await alarms.withdraw(connection, "breaker", held.id)
    return held


def _tripped(row: RowMapping | None) -> Tripped | None:
    if row is None:
        return None
    return Tripped(row["id"], row["tripped_at"], row["reason"], row["tripped_by"])


# What is counted. The indexes `charges_recorded`, `journal_taken` and `access_given` answer: with
# clock_timestamp(), which moves while a statement runs, they could not.

_BY_THE_WALL_CLOCK = """
    NOT EXISTS (SELECT FROM customers WHERE customers.id = counted.customer_id AND test_clock IS NOT NULL)
"""

# The hour begins anew with each release: whoever released has judged what had failed by then. That it is an
# hour at most is said for the planner, which takes a third of the table for what follows any other query.
FAILURES = text(f"""
    WITH hour AS (
        SELECT greatest(statement_timestamp() - interval '1 hour', max(released_at)) AS began FROM breaker)
    SELECT count(*) AS failures,
           count(*) FILTER (WHERE code = ANY(:codes) OR decline_code = ANY(:codes)) AS processing_errors
    FROM charges AS counted
    WHERE recorded_at > statement_timestamp() - interval '1 hour'
      AND recorded_at > (SELECT began FROM hour) AND {_BY_THE_WALL_CLOCK}
""")  # noqa: S608  # made of constants

WEEK = text(f"""
    SELECT count(*) FROM (
        SELECT FROM charges AS counted
        WHERE recorded_at > statement_timestamp() - interval '7 days 1 hour'
          AND recorded_at <= statement_timestamp() - interval '1 hour' AND {_BY_THE_WALL_CLOCK}
        LIMIT :enough) AS week
""")  # noqa: S608

REVOKED = text(f"""
    SELECT count(*) AS day,
           count(*) FILTER (WHERE recorded_at > statement_timestamp() - interval '1 hour') AS hour
    FROM journal AS counted
    WHERE kind = 'access.taken' AND recorded_at > statement_timestamp() - interval '1 day'
      AND {_BY_THE_WALL_CLOCK}
""")  # noqa: S608

BASE = text(f"""
    SELECT count(*) FROM (
        SELECT FROM access AS counted WHERE level <> 'revoked' AND {_BY_THE_WALL_CLOCK} LIMIT :enough) AS base
""")  # noqa: S608


async def failures(connection: AsyncConnection, limits: Limits | None = None) -> Failures:
    """The failed charges of the last hour, or since the last release if that is later.

    With `limits` the week before is counted only as far as they want to know.
    """
    codes = sorted(CODES[Category.PROCESSING_ERROR])
    hour = (await connection.execute(FAILURES, {"codes": codes})).one()
    enough = enough_week(hour.failures, limits) if limits else None
    week = (await connection.execute(WEEK, {"enough": enough})).scalar_one()
    return Failures(hour.failures, hour.processing_errors, week / HOURS)


async def revocations(
    connection: AsyncConnection, limits: Limits | None = None, wanted: int = 1
) -> Revocations:
    """What was taken of late, and how many customers could lose something.

    With `limits` the customers are counted only as far as the caps want to know to let `wanted` more go.
    """
    taken = (await connection.execute(REVOKED)).one()
    enough = enough_base(taken.day, wanted, limits) if limits else None
    base = (await connection.execute(BASE, {"enough": enough})).scalar_one()
    return Revocations(hour=taken.hour, day=taken.day, base=base)


async def revocations_alone(connection: AsyncConnection, limits: Limits, wanted: int) -> Revocations:
    """The same, with nobody else taking anything until this transaction ends."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": REVOCATION_LOCK})
    return await revocations(connection, limits, wanted)
