"""Events that Stripe tells of and that are not here: looked for, and in the form that the inbox keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from db import gaps
from db.intake import Row
from providers.mirror import EventPage, Mirror, Told


@dataclass(slots=True)
class Missing:
    """`listed` events were looked at. `missed` counts by type those that are not here; `oldest` of them."""

    listed: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None


async def look_for_missing(
    engine: AsyncEngine, mirror: Mirror, since: datetime, told: Callable[[Missing], None]
) -> Missing:
    """Compare page by page, and write nothing. Raises ProviderUnavailableError or RefusedError."""
    found = Missing()
    after: str | None = None
    while True:
        read = await mirror.events(since, after)
        ids = [each.envelope.event_id for each in read.told]
        async with engine.connect() as connection:
            known = await gaps.known(connection, mirror.source, ids)
        found.listed += read.listed
        for each in read.told:
            if each.envelope.event_id not in known:
                found.missed[each.envelope.type] += 1
                at = each.envelope.created_at
                found.oldest = min(filter(None, (found.oldest, at)), default=None)
        told(found)
        after = read.last
        if after is None:
            return found


def rows_of(source: str, read: EventPage) -> list[Row]:
    """As the receiver would have stored them."""
    return [_row(source, each) for each in read.told]


def _row(source: str, told: Told) -> Row:
    each = told.envelope
    return Row(
        source=source,
        event_id=each.event_id,
        type=each.type,
        livemode=bool(each.livemode),
        created_at=each.created_at,
        status=each.disposition,
        note=None,
        payload=told.body,
    )
