"""What the merchant's application is told, written by the transaction that wrote the journal entry it says.

So nothing is told that did not happen, and nothing that happened is forgotten. Events are numbered for each
customer under the lock of the customer's row: what was decided later has the higher number.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import cases, customers, deliveries, endpoints, outgoing
from db.restores import first_sequence
from dunning.outgoing import About, News, body, news_of

if TYPE_CHECKING:
    from db.journal import Entry

Told = Sequence[tuple["Entry", News]]

_ENDPOINTS = select(endpoints.c.id, endpoints.c.types, endpoints.c.disabled_at)


async def announce(connection: AsyncConnection, entries: Sequence[Entry]) -> frozenset[int]:
    """Write the events that follow from journal entries, and a delivery for each endpoint that wants them.

    Returns the endpoints (row ids) that have something to be sent now. Without any endpoint, even a disabled
    one, nothing is written.
    """
    told = [(entry, news) for entry in entries for news in news_of(entry.kind, entry.reason, entry.data)]
    if not told:
        return frozenset()
    wanted = (await connection.execute(_ENDPOINTS)).all()
    if not wanted:
        return frozenset()
    rows = await _events(connection, told)
    added = await connection.execute(
        insert(outgoing).returning(outgoing.c.id, outgoing.c.type, sort_by_parameter_order=True), rows
    )
    due = [
        {"event_id": event.id, "endpoint_id": endpoint.id}
        for event in added
        for endpoint in wanted
        if endpoint.disabled_at is None and (not endpoint.types or event.type in endpoint.types)
    ]
    if due:
        await connection.execute(insert(deliveries), due)
    return frozenset(row["endpoint_id"] for row in due)


async def _events(connection: AsyncConnection, told: Told) -> list[dict[str, Any]]:
    subscriptions = await _subscriptions(connection, told)
    owners = {}
    last = {}
    # In id order, as accounts are locked.
    for customer_id, many in sorted(Counter(entry.customer_id for entry, _ in told).items()):
        numbered = await connection.execute(
            update(customers)
            .where(customers.c.id == customer_id)
            .values(told=func.greatest(customers.c.told, first_sequence()) + many)
            .returning(customers.c.source, customers.c.ref, customers.c.told)
        )
        owners[customer_id] = owner = numbered.one()
        last[customer_id] = owner.told - many
    rows = []
    for entry, news in told:
        last[entry.customer_id] += 1
        owner = owners[entry.customer_id]
        about = About(
            source=owner.source,
            customer=owner.ref,
            sequence=last[entry.customer_id],
            at=entry.at,
            case=entry.case,
            subscription=subscriptions.get((entry.customer_id, entry.case)) or entry.data.get("subscription"),
        )
        rows.append(
            {
                "message": f"msg_{uuid.uuid4().hex}",
                "customer_id": entry.customer_id,
                "sequence": about.sequence,
                "type": news.type.value,
                "body": body(about, news),
            }
        )
    return rows


async def _subscriptions(connection: AsyncConnection, told: Told) -> dict[tuple[int, str | None], str]:
    """(customer, case) -> the subscription whose invoice that is."""
    about = {(entry.customer_id, entry.case) for entry, _ in told if entry.case}
    if not about:
        return {}
    found = await connection.execute(
        select(cases.c.customer_id, cases.c.invoice, cases.c.subscription).where(
            tuple_(cases.c.customer_id, cases.c.invoice).in_(list(about))
        )
    )
    return {(row.customer_id, row.invoice): row.subscription for row in found}
