"""Give an instruction and read at once what then holds: the same for commands and for the API."""

from __future__ import annotations

from datetime import datetime, tzinfo

from sqlalchemy.ext.asyncio import AsyncConnection

from console import view
from console.effect import Effect, effect_of
from dunning.requests import Request
from dunning.segments import PolicySource
from worker.usecases.instruct import instruct


async def give(
    connection: AsyncConnection,
    customer_id: int,
    request: Request,
    *,
    policy: PolicySource,
    zone: tzinfo,
    now: datetime,
) -> tuple[Effect, datetime]:
    """What came of `worker.usecases.instruct.instruct`, whose errors pass, and the account's time."""
    told = await instruct(connection, customer_id, request, policy=policy, zone=zone, now=now)
    seen = await view.read(connection, customer_id, policy, now)
    return effect_of(seen, told, zone), seen.at
