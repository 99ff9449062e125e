"""Requests that change something, and what was answered: written in the transaction that did it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

from sqlalchemy import delete, func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import api_requests

# Whoever repeats a request later than this does it anew.
KEPT_FOR = timedelta(days=3)
# So many old answers are dropped for each new one: more than come, and never a long statement.
DROPPED_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Answered:
    """What was asked, as a hash, and what was answered: an HTTP status and a body of JSON."""

    fingerprint: bytes
    status: int
    answer: bytes


async def begin(connection: AsyncConnection, key_id: int, name: str) -> bool:
    """Have this request to ourselves until the transaction ends. False: another one is at it."""
    lock = blake2b(f"{key_id} {name}".encode(), digest_size=8).digest()
    number = int.from_bytes(lock, "big", signed=True)
    return bool((await connection.execute(select(func.pg_try_advisory_xact_lock(number)))).scalar_one())


async def find(connection: AsyncConnection, key_id: int, name: str) -> Answered | None:
    """What was answered to it before."""
    columns = (api_requests.c.fingerprint, api_requests.c.status, api_requests.c.answer)
    asked = (api_requests.c.key_id == key_id, api_requests.c.name == name)
    row = (await connection.execute(select(*columns).where(*asked))).one_or_none()
    return Answered(row.fingerprint, row.status, row.answer) if row else None


async def add(connection: AsyncConnection, key_id: int, name: str, answered: Answered) -> None:
    """Keep an answer for KEPT_FOR at least, and drop some that are older."""
    values = {each: getattr(answered, each) for each in Answered.__slots__}
    await connection.execute(insert(api_requests).values(key_id=key_id, name=name, **values))
    key = (api_requests.c.key_id, api_requests.c.name)
    old = (
        select(*key)
        .where(api_requests.c.made_at < func.clock_timestamp() - KEPT_FOR)
        .limit(DROPPED_AT_ONCE)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    await connection.execute(delete(api_requests).where(tuple_(*key) == tuple_(old.c.key_id, old.c.name)))
