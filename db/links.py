"""Links to customers' pages, by the hash of their id: the id itself is in the customer's mail alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import links


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link to the page of one case. `made_at` and `revoked_at` are the account's times.

    `made_by`: the step of the mail it stands in, or who asked for it. `locale`: the language its reader has
    chosen.
    """

    digest: bytes
    customer_id: int
    case: str
    made_at: datetime
    made_by: str
    revoked_at: datetime | None = None
    locale: str | None = None


async def add(
    connection: AsyncConnection, digest: bytes, customer_id: int, case: str, *, at: datetime, by: str
) -> None:
    """Let a link open the page of a case from now on."""
    values = {"digest": digest, "customer_id": customer_id, "case": case, "made_at": at, "made_by": by}
    await connection.execute(insert(links).values(values))


async def find(connection: AsyncConnection, digest: bytes) -> LinkRow | None:
    """The link of this digest, or None: there never was one."""
    row = (await connection.execute(select(links).where(links.c.digest == digest))).mappings().one_or_none()
    return LinkRow(**row) if row else None


async def revoke(connection: AsyncConnection, customer_id: int, case: str, at: datetime) -> int:
    """Let the links to a case that were made until now open nothing any more; how many there were."""
    done = await connection.execute(
        update(links)
        .where(links.c.customer_id == customer_id, links.c.case == case, links.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return done.rowcount


async def speak(connection: AsyncConnection, digest: bytes, locale: str) -> None:
    """Remember the language that the reader of a link has chosen."""
    await connection.execute(update(links).where(links.c.digest == digest).values(locale=locale))
