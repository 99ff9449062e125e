"""What was learned, decided and done, written in the transaction that did it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import batch
from db.models import journal
from db.outgoing import announce
from dunning.values import lean


@lean
@dataclass(frozen=True, slots=True)
class Entry:
    """`at` is the account's time. `data` holds ids and codes only: no address, no amount, no payload."""

    customer_id: int
    at: datetime
    kind: str
    reason: str | None = None
    case: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


_NAMES = tuple(Entry.__slots__)
_WRITE = batch.inserting(journal, _NAMES)


async def write(connection: AsyncConnection, entries: Sequence[Entry]) -> frozenset[int]:
    """Write entries, and with them what the merchant's application is told of it.

    Returns the endpoints (row ids) that are to be told: wake somebody who does it after the commit, or leave
    it to the scheduler.
    """
    if not entries:
        return frozenset()
    await connection.execute(_WRITE, batch.attributes_of(entries, _NAMES))
    return await announce(connection, entries)


async def read(connection: AsyncConnection, customer_id: int) -> list[Entry]:
    """A customer's whole story, in the order it was written."""
    rows = await connection.execute(
        select(journal).where(journal.c.customer_id == customer_id).order_by(journal.c.id)
    )
    return [
        Entry(row["customer_id"], row["at"], row["kind"], row["reason"], row["case"], row["data"])
        for row in rows.mappings()
    ]


async def cases_with(connection: AsyncConnection, customer_id: int, kind: str, reason: str) -> set[str]:
    """The customer's cases of which this was said before."""
    rows = await connection.execute(
        select(journal.c.case)
        .distinct()
        .where(journal.c.customer_id == customer_id, journal.c.kind == kind, journal.c.reason == reason)
    )
    return {row.case for row in rows}
