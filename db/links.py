"""Links to customers' pages, by the hash of their id: the id itself is in the customer's mail alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import links


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link to the page of one case. `made_at` and `revoked_at` are the account's times.

    `made_by`: the step of the mail it stands in, or who asked for it. `plan`: the plan's name as that mail
    has it, and `pay_url` the provider's page for the invoice as it was when the link was made: the page asks
    no provider. `locale`: the language its reader has chosen.
    """

    digest: bytes
    customer_id: int
    case: str
    made_at: datetime
    made_by: str
    revoked_at: datetime | None = None
    plan: str | None = None
    pay_url: str | None = None
    locale: str | None = None


async def add(connection: AsyncConnection, *added: LinkRow) -> None:
    """Let each link open the page of its case from now on."""
    if added:
        await connection.execute(insert(links), [asdict(link) for link in added])


async def find(connection: AsyncConnection, digest: bytes) -> LinkRow | None:
    """The link of this digest, or None: there never was one."""
    row = (await connection.execute(select(links).where(links.c.digest == digest))).mappings().one_or_none()
    return LinkRow(**row) if row else None


async def newest(connection: AsyncConnection, customer_id: int, case: str) -> LinkRow | None:
    """The link to a case that a mail was given last: what it knows of the plan and the provider's page."""
    of_case = and_(links.c.customer_id == customer_id, links.c.case == case, links.c.pay_url.is_not(None))
    found = select(links).where(of_case).order_by(links.c.made_at.desc()).limit(1)
    row = (await connection.execute(found)).mappings().one_or_none()
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
