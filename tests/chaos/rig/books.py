"""What the database holds at the end, as the checker reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True, slots=True)
class Stored:
    """One row of the inbox; `at` is when it was received, in unix seconds as all times here."""

    event: str
    status: str
    at: float


@dataclass(frozen=True, slots=True)
class Applied:
    """The journal says that an event was folded into what is known of a customer."""

    event: str
    customer: str
    at: float


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail of the outbox, to the customer or about them to the team, and what has become of it."""

    step: str
    customer: str
    to_customer: bool
    status: str
    decided_at: float


@dataclass(frozen=True, slots=True)
class Books:
    """Everything the checker wants of the database."""

    inbox: tuple[Stored, ...] = ()
    applied: tuple[Applied, ...] = ()
    mails: tuple[Mail, ...] = field(default=())


_INBOX = text("SELECT event_id, status, extract(epoch FROM received_at)::float8 FROM inbox")
_APPLIED = text("""
    SELECT journal.data ->> 'event', customers.ref, extract(epoch FROM journal.recorded_at)::float8
    FROM journal JOIN customers ON customers.id = journal.customer_id WHERE kind = 'event.applied'
""")
_MAILS = text("""
    SELECT outbox.step, customers.ref, outbox.kind = 'mail', outbox.status,
           coalesce(extract(epoch FROM min(journal.recorded_at))::float8, 0)
    FROM outbox JOIN customers ON customers.id = outbox.customer_id
    LEFT JOIN journal ON journal.customer_id = outbox.customer_id AND journal.data ->> 'step' = outbox.step
                     AND journal.kind IN ('mail.decided', 'team.called')
    WHERE outbox.channel = 'mail' GROUP BY outbox.id, customers.ref
""")


async def read(engine: AsyncEngine) -> Books:
    """The books as they are now."""
    async with engine.connect() as connection:
        return Books(
            tuple(Stored(*row) for row in await connection.execute(_INBOX)),
            tuple(Applied(*row) for row in await connection.execute(_APPLIED)),
            tuple(Mail(*row) for row in await connection.execute(_MAILS)),
        )
