"""What people have told us, one row each, never changed. `db.accounts.load` reads them with the account."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import customers, instructions
from dunning.instructions import Instruction, Verb


async def add(connection: AsyncConnection, customer_id: int, told: Instruction) -> None:
    """Write it down. The caller holds the account's row lock and has checked that it may be given."""
    values = asdict(told) | {"customer_id": customer_id, "verb": told.verb.value}
    await connection.execute(insert(instructions).values(values))


async def not_yet(
    connection: AsyncConnection, source: str, verb: Verb, *, after: int, most: int
) -> list[int]:
    """Customers (row ids, those above `after`) of a source of whom this was not said since they were resumed
    last.
    """
    told = instructions.alias()
    wanted = select(customers.c.id).where(
        customers.c.source == source, customers.c.id > after, ~exists().where(*_since_resumed(told, verb))
    )
    rows = await connection.execute(wanted.order_by(customers.c.id).limit(most))
    return [row.id for row in rows]


async def said_by(connection: AsyncConnection, source: str, verb: Verb, by: str) -> dict[int, datetime]:
    """Customers (row ids, ascending) of a source of whom `by` has said this since they were resumed last, and
    when.
    """
    told = instructions.alias()
    rows = await connection.execute(
        select(customers.c.id, func.max(told.c.at).label("at"))
        .where(customers.c.source == source, told.c.by == by, *_since_resumed(told, verb))
        .group_by(customers.c.id)
        .order_by(customers.c.id)
    )
    return {row.id: row.at for row in rows}


def _since_resumed(told: FromClause, verb: Verb) -> tuple[ColumnElement[bool], ...]:
    """What a word about a whole customer must be to hold still."""
    resumed = instructions.alias()
    ended = exists().where(
        resumed.c.customer_id == customers.c.id,
        resumed.c.verb == Verb.RESUME.value,
        resumed.c.case.is_(None),
        resumed.c.id > told.c.id,
    )
    return told.c.customer_id == customers.c.id, told.c.verb == verb.value, ~ended
