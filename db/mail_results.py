"""Results of mails: which mail one is about, and that it is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Boolean, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import mail_results, outbox
from db.words import meaning
from dunning.results import CAME_TO_NOTHING, MailResult, Result
from dunning.steps import Kind

# A result without our mark is about the last mail to that address, if it is no older than this.
RECENT = timedelta(days=7)
# By how much the clocks of a service and of the database may differ.
SLACK = timedelta(minutes=5)
MOST_DETAILS = 500  # characters


@dataclass(frozen=True, slots=True)
class SentMail:
    """The outbox row that a result is about."""

    id: int
    customer_id: int
    case: str
    step: str
    kind: Kind


async def find(connection: AsyncConnection, result: MailResult) -> SentMail | None:
    """The mail that a result is about, however old, or None: it is none of ours.

    By our mark. Without one a mail that came to nothing is looked for by its reader's address.
    """
    columns = [outbox.c[name] for name in SentMail.__slots__]
    if result.reference:
        query = select(*columns).where(outbox.c.reference == result.reference)
    elif result.address and result.kind in CAME_TO_NOTHING:
        query = (
            select(*columns)
            .where(func.lower(outbox.c.recipient) == result.address.strip().lower())
            .where(outbox.c.handed_at.between(result.at - RECENT, result.at + SLACK))
        )
    else:
        return None
    newest = query.order_by(outbox.c.handed_at.desc().nulls_last(), outbox.c.id.desc()).limit(1)
    row = (await connection.execute(newest)).mappings().one_or_none()
    return SentMail(**{**row, "kind": meaning(Kind, row["kind"])}) if row else None


async def record(
    connection: AsyncConnection, sent: SentMail, result: MailResult, at: datetime, by: str
) -> bool:
    """Note it, whatever the order in which it is told; True if it was not known. `at` is the account's time.

    The caller holds the account's row lock.
    """
    values = {
        "outbox_id": sent.id,
        "kind": result.kind.value,
        "at": at,
        "by": by,
        "details": result.details[:MOST_DETAILS] or None,
    }
    statement = insert(mail_results).values(values)
    told = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["outbox_id", "kind"],
            set_={"at": func.least(mail_results.c.at, statement.excluded.at)},
        ).returning(literal_column("xmax = 0", Boolean))
    )
    return told.scalar_one()


async def of_customer(connection: AsyncConnection, customer_id: int) -> dict[int, dict[Result, str | None]]:
    """What is known of each mail to a customer, with the service's words, by outbox row."""
    rows = await connection.execute(
        select(mail_results.c.outbox_id, mail_results.c.kind, mail_results.c.details)
        .join(outbox, outbox.c.id == mail_results.c.outbox_id)
        .where(outbox.c.customer_id == customer_id)
    )
    found: dict[int, dict[Result, str | None]] = {}
    for row in rows:
        found.setdefault(row.outbox_id, {})[Result(row.kind)] = row.details
    return found
