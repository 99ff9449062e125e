"""What is known here of what a provider lists: a page at a time. Read only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.mapping import chosen, customer_from, observed
from db.models import customers, imports, invoices, subscriptions
from dunning.account import Account, Customer, Invoice, Subscription


async def accounts_of(connection: AsyncConnection, source: str, refs: Collection[str]) -> dict[str, Account]:
    """These customers with their subscriptions alone, by id; none that nobody here has heard of."""
    wanted = customers.c.source == source, customers.c.ref.in_(list(refs))
    owners = await connection.execute(select(customers.c.id, *chosen(Customer, customers)).where(*wanted))
    known = {row_id: customer_from(values) for row_id, *values in owners}
    held = await connection.execute(
        select(subscriptions.c.customer_id, *chosen(Subscription, subscriptions)).where(
            subscriptions.c.customer_id.in_(known)
        )
    )
    theirs: dict[int, dict[str, Subscription]] = {row_id: {} for row_id in known}
    for row_id, *values in held:
        theirs[row_id][values[0]] = observed(Subscription, values)
    return {
        customer.ref: Account(source, customer, MappingProxyType(theirs[row_id]))
        for row_id, customer in known.items()
    }


async def invoices_of(connection: AsyncConnection, source: str, refs: Collection[str]) -> dict[str, Invoice]:
    """Those of these invoices that are known here."""
    rows = await connection.execute(
        select(*chosen(Invoice, invoices))
        .join(customers, customers.c.id == invoices.c.customer_id)
        .where(customers.c.source == source, invoices.c.ref.in_(list(refs)))
    )
    return {row[0]: observed(Invoice, row) for row in rows}


@dataclass(frozen=True, slots=True)
class Held:
    """An invoice that we think is unpaid, and whose it is (row id)."""

    customer_id: int
    customer: str
    invoice: str


# Those of subscriptions that have ended are looked at for a month more: money may still come.
_HELD = text("""
    SELECT cases.customer_id, customers.ref AS customer, cases.invoice FROM cases
    JOIN customers ON customers.id = cases.customer_id
    WHERE customers.source = :source AND (cases.customer_id, cases.invoice) > (:customer, :invoice)
      AND (cases.closed_at IS NULL
           OR cases.outcome = 'ended' AND cases.closed_at > clock_timestamp() - interval '30 days')
    ORDER BY cases.customer_id, cases.invoice LIMIT :most
""")


async def held(connection: AsyncConnection, source: str, *, after: tuple[int, str], most: int) -> list[Held]:
    """The invoices of open cases, from one on."""
    given = {"source": source, "customer": after[0], "invoice": after[1], "most": most}
    return [Held(**row) for row in (await connection.execute(_HELD, given)).mappings()]


async def was_imported(connection: AsyncConnection, source: str) -> bool:
    """Whether everything that the provider had was taken over once, so that nobody there is a stranger."""
    finished = imports.c.source == source, imports.c.state == "finished"
    return (await connection.execute(select(imports.c.id).where(*finished).limit(1))).first() is not None
