"""How events come in: stored as the receiver stores them, and handed to the worker in some manner."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import inbox
from providers.stripe.webhook import envelope
from sandbox.stripe.objects import render_event
from sandbox.stripe.records import Event
from sandbox.stripe.versions import ApiVersion

Form = Callable[[Event, ApiVersion], dict[str, Any]]


@dataclass(frozen=True)
class Manner:
    """In one message or each by itself, with a `seed` shuffled, repeated, to many workers at once.

    `forms` are those in which each fact comes: whole, thin, or both in that order.
    """

    batched: bool = True
    seed: int | None = None
    twice: bool = False
    at_once: bool = False
    forms: tuple[Form, ...] = (render_event,)

    def messages(self, rows: Sequence[int], disorder: Random | None) -> list[list[int]]:
        """Row ids as they reach the worker, one list a message."""
        chunks = [list(rows)] if self.batched else [[row] for row in rows]
        if self.twice:
            chunks += chunks
        if disorder:
            chunks = [disorder.sample(chunk, len(chunk)) for chunk in chunks]
            disorder.shuffle(chunks)
        return [chunk for chunk in chunks if chunk]


CALM = Manner()


async def store(
    connection: AsyncConnection,
    events: Sequence[Event],
    version: ApiVersion,
    received_at: datetime,
    forms: Sequence[Form] = (render_event,),
) -> list[int]:
    """The inbox rows of deliveries in their order, one for the same event; none that nobody handles."""
    bodies = [json.dumps(form(event, version)).encode() for event in events for form in forms]
    seen = [(envelope(body), body) for body in bodies]
    rows = [
        {
            "source": "stripe",
            "event_id": each.event_id,
            "type": each.type,
            "livemode": each.livemode,
            "created_at": each.created_at,
            "received_at": received_at,
            "status": "pending",
            "payload": body,
        }
        for each, body in seen
        if each.disposition == "pending"
    ]
    if not rows:
        return []
    await connection.execute(insert(inbox).on_conflict_do_nothing(), rows)
    named = [row["event_id"] for row in rows]
    known = await connection.execute(select(inbox.c.event_id, inbox.c.id).where(inbox.c.event_id.in_(named)))
    ids = {row.event_id: row.id for row in known}
    return [ids[event_id] for event_id in named]
