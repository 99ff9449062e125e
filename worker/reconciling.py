"""Fill the inbox with what Stripe says has happened and nobody here has heard of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from db import gaps
from db.intake import Row
from providers.stripe import SOURCE
from providers.stripe_events import EventPage, Told, page
from providers.stripe_listing import PacedApi


@dataclass(slots=True)
class Reconciled:
    """`listed` events were looked at. `missed` counts by type those that were not here; `oldest` of them."""

    listed: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None

    def add(self, read: EventPage, unheard: Mapping[str, Told]) -> None:
        self.listed += read.listed
        for told in unheard.values():
            self.missed[told.envelope.type] += 1
            at = told.envelope.created_at
            self.oldest = min(filter(None, (self.oldest, at)), default=None)


async def reconcile(
    engine: AsyncEngine,
    api: PacedApi,
    since: datetime,
    *,
    store: bool,
    told: Callable[[Reconciled], None] = lambda _: None,
) -> Reconciled:
    """Compare page by page, each in a transaction of its own, and `store` what is missing.

    Whatever is stored is due at once, and the scheduler hands it out. Safe to cut off, to repeat, and to run
    beside the receiver. Raises ProviderUnavailableError or RefusedError.
    """
    found = Reconciled()
    after: str | None = None
    while True:
        read = await page(api, since, after)
        found.add(read, await _unheard(engine, read, store=store))
        told(found)
        after = read.last
        if after is None:
            return found


async def _unheard(engine: AsyncEngine, read: EventPage, *, store: bool) -> Mapping[str, Told]:
    by_id = {each.envelope.event_id: each for each in read.told}
    async with engine.begin() as connection:
        if store:
            unheard = await gaps.fill(connection, [_row(each) for each in read.told])
        else:
            unheard = by_id.keys() - await gaps.known(connection, SOURCE, by_id)
    return {event_id: by_id[event_id] for event_id in unheard}


def _row(told: Told) -> Row:
    each = told.envelope
    return Row(
        source=SOURCE,
        event_id=each.event_id,
        type=each.type,
        livemode=bool(each.livemode),
        created_at=each.created_at,
        status=each.disposition,
        note=None,
        payload=told.body,
    )
