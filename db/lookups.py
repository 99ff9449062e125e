"""Finding customers and cases the way a person names them. Read only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, text, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from db.access import USUAL_SOURCE
from db.models import cases, customers, invoices, subscriptions


@dataclass(frozen=True, slots=True)
class Found:
    """A customer somebody may have meant. `id` is the row's own."""

    id: int
    source: str
    ref: str
    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class CaseKey:
    """Which case: its owner's row and its invoice."""

    customer_id: int
    invoice: str


async def find_customers(connection: AsyncConnection, wanted: str) -> list[Found]:
    """Customers whose provider id is `wanted`, or whose mail address it is in any case of letters."""
    meant: ColumnElement[bool] = customers.c.ref == wanted
    if "@" in wanted:
        meant = or_(meant, func.lower(customers.c.email) == wanted.lower())
    return await _found(connection, meant)


async def find_by_invoice(connection: AsyncConnection, invoice: str) -> list[Found]:
    """The customers (one, but for providers that share ids) with a case for this invoice."""
    owners = select(cases.c.customer_id).where(cases.c.invoice == invoice)
    return await _found(connection, customers.c.id.in_(owners))


async def find_by_number(connection: AsyncConnection, number: str) -> list[Found]:
    """The customers with a case for the invoice that bears this number, which is what customers quote."""
    owners = (
        select(cases.c.customer_id)
        .join(invoices, (invoices.c.customer_id == cases.c.customer_id) & (invoices.c.ref == cases.c.invoice))
        .where(invoices.c.number == number)
    )
    return await _found(connection, customers.c.id.in_(owners))


async def owner_of(connection: AsyncConnection, source: str, subscription: str) -> str | None:
    """The provider's id of whoever has the subscription, as was told first; None: nobody has told."""
    rows = await connection.execute(
        select(customers.c.ref)
        .join(subscriptions, subscriptions.c.customer_id == customers.c.id)
        .where(subscriptions.c.ref == subscription, customers.c.source == source)
        .order_by(customers.c.id)
        .limit(1)
    )
    return rows.scalar_one_or_none()


async def _found(connection: AsyncConnection, meant: ColumnElement[bool]) -> list[Found]:
    names = (customers.c.id, customers.c.source, customers.c.ref, customers.c.name, customers.c.email)
    rows = await connection.execute(select(*names).where(meant).order_by(customers.c.source, customers.c.ref))
    return [Found(**row) for row in rows.mappings()]


async def list_cases(connection: AsyncConnection, *, only_open: bool, limit: int) -> list[CaseKey]:
    """Open cases, the oldest first, then (unless `only_open`) closed ones, the latest closed first."""
    wanted = select(cases.c.customer_id, cases.c.invoice)
    if only_open:
        wanted = wanted.where(cases.c.closed_at.is_(None))
    wanted = wanted.order_by(
        cases.c.closed_at.is_not(None), cases.c.closed_at.desc(), cases.c.opened_at, cases.c.invoice
    )
    rows = await connection.execute(wanted.limit(limit))
    return [CaseKey(row.customer_id, row.invoice) for row in rows]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case stands in the list of all, the newest first.

    A failure that is heard of late may put it further back, never further ahead.
    """

    opened_at: datetime
    customer_id: int
    invoice: str


async def page_of_cases(
    connection: AsyncConnection,
    *,
    after: Place | None,
    limit: int,
    is_open: bool | None = None,
    outcome: str | None = None,
    source: str | None = None,
    customer: str | None = None,
) -> list[Place]:
    """The cases after a place, the newest first, which fit all that is given. None fits every case."""
    key = (cases.c.opened_at, cases.c.customer_id, cases.c.invoice)
    wanted = select(*key)
    if after is not None:
        wanted = wanted.where(tuple_(*key) < tuple_(after.opened_at, after.customer_id, after.invoice))
    if is_open is not None:
        wanted = wanted.where(cases.c.closed_at.is_(None) if is_open else cases.c.closed_at.is_not(None))
    if outcome is not None:
        wanted = wanted.where(cases.c.outcome == outcome)
    if source is not None or customer is not None:
        wanted = wanted.join(customers, customers.c.id == cases.c.customer_id)
    if source is not None:
        wanted = wanted.where(customers.c.source == source)
    if customer is not None:
        wanted = wanted.where(customers.c.ref == customer)
    rows = await connection.execute(wanted.order_by(*(column.desc() for column in key)).limit(limit))
    return [Place(row.opened_at, row.customer_id, row.invoice) for row in rows]


async def owner_of_case(connection: AsyncConnection, source: str | None, invoice: str) -> int | None:
    """The row id of the customer whose case it is, or None: there is none, of `source` or the usual one."""
    owner = (
        select(cases.c.customer_id)
        .join(customers, customers.c.id == cases.c.customer_id)
        .where(cases.c.invoice == invoice, customers.c.source == (source or text(USUAL_SOURCE)))
    )
    return (await connection.execute(owner)).scalar_one_or_none()


async def customers_with_cases(
    connection: AsyncConnection, *, since: datetime | None, after: int, limit: int
) -> list[int]:
    """Row ids, in order and greater than `after`, of customers with a case opened at `since` or later."""
    wanted = select(cases.c.customer_id).distinct().where(cases.c.customer_id > after, _opened(since))
    rows = await connection.execute(wanted.order_by(cases.c.customer_id).limit(limit))
    return list(rows.scalars())


async def count_customers_with_cases(connection: AsyncConnection, *, since: datetime | None) -> int:
    """How many there are."""
    counted = select(func.count(cases.c.customer_id.distinct())).where(_opened(since))
    return int((await connection.execute(counted)).scalar_one())


def _opened(since: datetime | None) -> ColumnElement[bool]:
    return cases.c.opened_at >= since if since else true()


async def customers_with_open_cases(connection: AsyncConnection) -> list[int]:
    """Row ids of customers with a case that still wants money, in order."""
    rows = await connection.execute(
        select(cases.c.customer_id)
        .where(cases.c.closed_at.is_(None))
        .distinct()
        .order_by(cases.c.customer_id)
    )
    return list(rows.scalars())
