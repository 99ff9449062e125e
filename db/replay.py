"""Sending events again: those of a time, of a type, one by its id, or those an endpoint has not accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.endpoints import Endpoint
from db.models import deliveries, outgoing


@dataclass(frozen=True, slots=True)
class Again:
    """Which events. With nothing given, all that the endpoint wants and that do not wait to be sent.

    What happened before the endpoint was added is not among them, but for `since` and `message`.
    """

    since: datetime | None = None
    type: str | None = None
    message: str | None = None
    failed: bool = False


async def matching(connection: AsyncConnection, endpoint: Endpoint, again: Again) -> list[int]:
    """The events (row ids) in question, the oldest first."""
    row = and_(deliveries.c.event_id == outgoing.c.id, deliveries.c.endpoint_id == endpoint.id)
    found = await connection.execute(
        select(outgoing.c.id)
        .outerjoin(deliveries, row)
        .where(*_conditions(endpoint, again))
        .order_by(outgoing.c.id)
    )
    return list(found.scalars())


def _conditions(endpoint: Endpoint, again: Again) -> list[ColumnElement[bool]]:
    left = ("failed",) if again.failed else ("failed", "delivered")
    conditions = [or_(deliveries.c.id.is_(None), deliveries.c.status.in_(left))]
    if endpoint.types:
        conditions.append(outgoing.c.type.in_(endpoint.types))
    since = again.since or (None if again.message else endpoint.created_at)
    if since:
        conditions.append(outgoing.c.created_at >= since)
    if again.type:
        conditions.append(outgoing.c.type == again.type)
    if again.message:
        conditions.append(outgoing.c.message == again.message)
    return conditions


async def send_again(connection: AsyncConnection, endpoint_id: int, events: list[int]) -> int:
    """Have these events sent there, as if for the first time; returns how many. What waits is left alone."""
    chosen = select(outgoing.c.id, literal(endpoint_id)).where(outgoing.c.id.in_(events))
    fresh = insert(deliveries).from_select(["event_id", "endpoint_id"], chosen.order_by(outgoing.c.id))
    now = func.clock_timestamp()
    begun = {"status": "pending", "attempts": 0, "due_at": now, "code": None, "error": None}
    left = deliveries.c.status != "pending"
    again = fresh.on_conflict_do_update(index_elements=["endpoint_id", "event_id"], set_=begun, where=left)
    return (await connection.execute(again)).rowcount
