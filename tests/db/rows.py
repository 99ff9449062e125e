"""Rows for the statements under test, and time that passes for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, models
from db.outbox import Claim, NewEffect, hand_over
from dunning.steps import Kind
from tests.dunning.builders import day


async def store_event(connection: AsyncConnection, event_id: str = "evt_1", **fields: Any) -> int:
    """An event as the receiver stores it; its row id."""
    values: dict[str, Any] = {
        "source": "stripe",
        "event_id": event_id,
        "type": "invoice.paid",
        "livemode": False,
        "status": "pending",
        "payload": b"{}",
    }
    added = await connection.execute(
        insert(models.inbox).values(values | fields).returning(models.inbox.c.id)
    )
    return int(added.scalar_one())


async def event(connection: AsyncConnection, row_id: int) -> Any:
    """The event's row as it is now."""
    found = await connection.execute(select(models.inbox).where(models.inbox.c.id == row_id))
    return found.one()


async def customer_row(connection: AsyncConnection, ref: str = "cus_1") -> int:
    return (await accounts.ensure(connection, [("stripe", ref)]))["stripe", ref]


def new_effect(customer_id: int, step: str = "payment_failed:in_1:1", **fields: Any) -> NewEffect:
    """A mail that was just decided."""
    values: dict[str, Any] = {
        "case": "in_1",
        "kind": Kind.MAIL,
        "name": step.partition(":")[0],
        "channel": "mail",
        "reason": "charge 1 failed",
        "created_at": day(0),
    }
    return NewEffect(customer_id=customer_id, step=step, **(values | fields))


async def effect(connection: AsyncConnection, row_id: int) -> Any:
    """The outbox row as it is now."""
    found = await connection.execute(select(models.outbox).where(models.outbox.c.id == row_id))
    return found.one()


async def let_pass(connection: AsyncConnection, seconds: float) -> None:
    """Make the database's clock, by which leases and waits run, later by so much."""
    passed = timedelta(seconds=seconds)
    inbox, outbox = models.inbox, models.outbox
    await connection.execute(update(inbox).values(due_at=inbox.c.due_at - passed))
    for table in (models.cases, models.subscriptions):
        await connection.execute(update(table).values(swept_at=table.c.swept_at - passed))
    later = {"due_at": outbox.c.due_at - passed, "lease_until": outbox.c.lease_until - passed}
    await connection.execute(update(outbox).values(later))


async def handed_over(
    connection: AsyncConnection, claim: Claim, to: str | None, message: dict[str, Any]
) -> bool:
    """Hand over in the transaction that `connection` has begun."""
    raw = await connection.get_raw_connection()
    return await hand_over(raw.driver_connection, claim, to, message)
