"""What the program wrote down, to give names and reasons to what the witness saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from db.models import cases, charges, customers, invoices, journal, outbox, subscriptions


@dataclass(frozen=True, slots=True)
class Step:
    """A mail or a call that was decided; `key` makes its Message-ID."""

    customer: str
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A charge that failed, or with the code None one that waits for the customer's bank."""

    customer: str
    at: datetime
    code: str | None


@dataclass(frozen=True, slots=True)
class Records:
    """Customers are named by Stripe's ids. `events` counts the facts heard of each."""

    steps: tuple[Step, ...]
    failures: tuple[Failure, ...]
    events: dict[str, int]


async def next_due(engine: AsyncEngine) -> dict[tuple[str, str], datetime]:
    """When a case or a renewal wants attention next, by source and test clock."""
    waiting = union_all(
        *(
            select(customers.c.source, table.c.test_clock, func.min(table.c.due_at).label("soonest"))
            .join(customers, customers.c.id == table.c.customer_id)
            .where(table.c.due_at.is_not(None), table.c.test_clock.is_not(None))
            .group_by(customers.c.source, table.c.test_clock)
            for table in (cases, subscriptions)
        )
    )
    async with engine.connect() as connection:
        found: dict[tuple[str, str], datetime] = {}
        for row in await connection.execute(waiting):
            key = (row.source, row.test_clock)
            found[key] = min(row.soonest, found.get(key, row.soonest))
        return found


async def read(engine: AsyncEngine) -> Records:
    """Everything written down so far."""
    steps = select(customers.c.ref, outbox.c.step, outbox.c.name).join_from(outbox, customers)
    declined = (
        select(customers.c.ref, charges.c.at, func.coalesce(charges.c.decline_code, charges.c.code))
        .join_from(charges, customers)
        .order_by(charges.c.at)
    )
    waiting = (
        select(customers.c.ref, invoices.c.failed_at)
        .join_from(invoices, customers)
        .where(invoices.c.action_required)
    )
    heard = (
        select(customers.c.ref, func.count().label("heard"))
        .join_from(journal, customers)
        .where(journal.c.kind == "event.applied")
        .group_by(customers.c.ref)
    )
    async with engine.connect() as connection:
        failed = [Failure(*row) for row in await connection.execute(declined)]
        charged = {failure.customer for failure in failed}
        asked = [
            Failure(ref, at, None) for ref, at in await connection.execute(waiting) if ref not in charged
        ]
        return Records(
            steps=tuple({Step(*row): None for row in await connection.execute(steps)}),
            failures=(*failed, *asked),
            events={row.ref: row.heard for row in await connection.execute(heard)},
        )
