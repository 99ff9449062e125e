"""Deliveries of events to endpoints: handed out, tried, listed. All times are the database's clock.

One worker at a time sends to an endpoint, which is what keeps a slow one from taking up everybody: `take` is
its lease. A try has a lease of its own, `due_at`, so that what a killed worker held goes on in a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import endpoints as places
from db.endpoints import Endpoint
from db.models import deliveries, endpoints, outgoing

# Longer than the slowest try takes, with some time to write down what came of it.
LEASE = timedelta(seconds=40)
# Seconds until an endpoint with something due is handed out once more.
AGAIN = 2.0

DUE = text("""
    UPDATE endpoints SET swept_at = clock_timestamp()
    WHERE disabled_at IS NULL
      AND (swept_at IS NULL OR swept_at <= clock_timestamp() - make_interval(secs => :again))
      AND (busy_until IS NULL OR busy_until <= clock_timestamp())
      AND EXISTS (SELECT FROM deliveries WHERE endpoint_id = endpoints.id AND status = 'pending'
                  AND due_at <= statement_timestamp())
    RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Turn:
    """An endpoint that is ours to send to until `until`."""

    endpoint: Endpoint
    until: datetime


@dataclass(frozen=True, slots=True)
class Try:
    """One event that is ours to send. `fence` is the number of the try."""

    id: int
    fence: int
    message: str
    body: str


async def due(connection: AsyncConnection) -> list[int]:
    """Endpoints that have something due and nobody who sends it; they are handed out, for a moment."""
    return sorted((await connection.execute(DUE, {"again": AGAIN})).scalars())


async def take(connection: AsyncConnection, endpoint_id: int) -> Turn | None:
    """Make the endpoint ours. None: somebody is sending there, it is disabled, or it was removed."""
    clock = func.clock_timestamp()
    free = or_(endpoints.c.busy_until.is_(None), endpoints.c.busy_until <= clock)
    return await _hold(connection, and_(endpoints.c.id == endpoint_id, free))


async def keep(connection: AsyncConnection, turn: Turn) -> Turn | None:
    """Hold on for another lease, with what is known of the endpoint now. None: it is not ours any more."""
    ours = and_(endpoints.c.id == turn.endpoint.id, endpoints.c.busy_until == turn.until)
    return await _hold(connection, ours)


async def _hold(connection: AsyncConnection, condition: object) -> Turn | None:
    held = await connection.execute(
        update(endpoints)
        .where(condition, endpoints.c.disabled_at.is_(None))  # type: ignore[arg-type]  # a clause
        .values(busy_until=func.clock_timestamp() + LEASE)
        .returning(endpoints.c.id, endpoints.c.busy_until)
    )
    row = held.one_or_none()
    endpoint = await places.find(connection, row.id) if row else None
    return Turn(endpoint, row.busy_until) if row and endpoint else None


async def leave(connection: AsyncConnection, turn: Turn) -> None:
    """Let others send there."""
    ours = and_(endpoints.c.id == turn.endpoint.id, endpoints.c.busy_until == turn.until)
    await connection.execute(update(endpoints).where(ours).values(busy_until=None))


async def claim(connection: AsyncConnection, endpoint_id: int, most: int) -> list[Try]:
    """Take up to `most` deliveries that are due, the longest waiting first. Each counts as a try."""
    clock = func.clock_timestamp()
    waiting = (
        select(deliveries.c.id)
        .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.status == "pending")
        .where(deliveries.c.due_at <= func.statement_timestamp())
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("waiting")
    )
    taken = await connection.execute(
        update(deliveries)
        .where(deliveries.c.id == waiting.c.id, outgoing.c.id == deliveries.c.event_id)
        .values(attempts=deliveries.c.attempts + 1, tried_at=clock, due_at=clock + LEASE)
        .returning(deliveries.c.id, deliveries.c.attempts, outgoing.c.message, outgoing.c.body)
    )
    return [Try(row.id, row.attempts, row.message, row.body) for row in sorted(taken, key=lambda row: row.id)]


async def delivered(connection: AsyncConnection, one: Try, code: int | None) -> None:
    """It was accepted. True whoever has the row by now: the event is the same."""
    accepted = {"status": "delivered", "code": code, "error": None}
    await connection.execute(update(deliveries).where(deliveries.c.id == one.id).values(accepted))


async def not_delivered(
    connection: AsyncConnection, one: Try, code: int | None, error: str, *, wait: timedelta | None
) -> None:
    """It was not: another try after `wait`, or with None no more. Unless it is somebody else's by now."""
    values = {"code": code, "error": error}
    later = {"due_at": func.clock_timestamp() + wait} if wait is not None else {"status": "failed"}
    ours = and_(
        deliveries.c.id == one.id, deliveries.c.attempts == one.fence, deliveries.c.status == "pending"
    )
    await connection.execute(update(deliveries).where(ours).values(values | later))


@dataclass(frozen=True, slots=True)
class Delivery:
    """A line of the list. `status`: pending, delivered or failed; `due_at`: the next try of a pending one."""

    id: int
    endpoint_id: int
    message: str
    type: str
    created_at: datetime
    status: str
    attempts: int
    due_at: datetime
    tried_at: datetime | None
    code: int | None
    error: str | None


async def latest(
    connection: AsyncConnection,
    *,
    endpoint: int | None = None,
    status: str | None = None,
    before: int | None = None,
    most: int = 50,
) -> Sequence[Delivery]:
    """The newest deliveries, or those `before` that id, the newest first."""
    wanted = (
        select(deliveries, outgoing.c.message, outgoing.c.type, outgoing.c.created_at)
        .join(outgoing, outgoing.c.id == deliveries.c.event_id)
        .order_by(deliveries.c.id.desc())
        .limit(most)
    )
    if endpoint is not None:
        wanted = wanted.where(deliveries.c.endpoint_id == endpoint)
    if before is not None:
        wanted = wanted.where(deliveries.c.id < before)
    if status is not None:
        wanted = wanted.where(deliveries.c.status == status)
    rows = (await connection.execute(wanted)).mappings()
    return [Delivery(**{name: row[name] for name in Delivery.__slots__}) for row in rows]
