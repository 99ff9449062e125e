"""Keys of the API, by the hash of their secret: the secret itself is with whoever was given it alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import RowMapping, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import api_keys

# `last_used_at` is no truer than this, so that using a key writes next to nothing.
USED_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. All times are the database's clock, UTC."""

    id: int
    label: str
    scopes: tuple[str, ...]
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


_COLUMNS = [api_keys.c[name] for name in ApiKey.__slots__]


def digest_of(secret: bytes) -> bytes:
    """What is kept of a key. One round is enough: nobody guesses 192 random bits."""
    return sha256(secret).digest()


async def add(
    connection: AsyncConnection, digest: bytes, label: str, scopes: Sequence[str], lasts: timedelta | None
) -> ApiKey:
    """Let a key in from now on, for as long as it `lasts`; None: until it is revoked."""
    expires_at = func.clock_timestamp() + lasts if lasts else None
    row = (
        insert(api_keys)
        .values(digest=digest, label=label, scopes=list(scopes), expires_at=expires_at)
        .returning(*_COLUMNS)
    )
    return _key((await connection.execute(row)).mappings().one())


async def every(connection: AsyncConnection) -> list[ApiKey]:
    """All keys there have ever been, the oldest first."""
    rows = await connection.execute(select(*_COLUMNS).order_by(api_keys.c.id))
    return [_key(row) for row in rows.mappings()]


async def revoke(connection: AsyncConnection, key_id: int) -> ApiKey | None:
    """Let a key in no longer; one that was revoked before stays as it is. None: there is no such key."""
    revoked_at = func.coalesce(api_keys.c.revoked_at, func.clock_timestamp())
    done = await connection.execute(
        update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=revoked_at).returning(*_COLUMNS)
    )
    row = done.mappings().one_or_none()
    return _key(row) if row else None


async def used(connection: AsyncConnection, key_id: int) -> None:
    """Remember that a key is in use."""
    clock = func.clock_timestamp()
    long_ago = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < clock - USED_WITHIN)
    await connection.execute(
        update(api_keys).where(api_keys.c.id == key_id, long_ago).values(last_used_at=clock)
    )


def _key(row: RowMapping) -> ApiKey:
    return ApiKey(**{**row, "scopes": tuple(row["scopes"])})
