"""What people have told us, one row each, never changed. `db.accounts.load` reads them with the account."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import instructions
from dunning.instructions import Instruction


async def add(connection: AsyncConnection, customer_id: int, told: Instruction) -> None:
    """Write it down. The caller holds the account's row lock and has checked that it may be given."""
    values = asdict(told) | {"customer_id": customer_id, "verb": told.verb.value}
    await connection.execute(insert(instructions).values(values))
