"""When the database was brought back from a backup, so that nothing of what is lost is done twice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ScalarSelect, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import customers, outbox, restores
from dunning.restoring import Gap
from dunning.steps import Kind

MAYBE_SENT = "it may have been sent before the database was restored"
# What applications are told from then on has numbers above all that can have been told in between.
A_LEAP = 1_000_000

_LAST = select(restores.c.backup_taken_at, restores.c.restored_at).order_by(restores.c.id.desc()).limit(1)
_LAST_LIFE = text("""
    SELECT greatest((SELECT max(beat_at) FROM heartbeats),
                    (SELECT recorded_at FROM journal ORDER BY id DESC LIMIT 1),
                    (SELECT received_at FROM inbox ORDER BY id DESC LIMIT 1)) AS at
""")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An effect that was written down before the backup, and is done or not, nobody knows."""

    id: int
    customer_id: int
    case: str
    step: str
    kind: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An effect of which nobody knows, as a person is shown it. `at` is when it was due."""

    customer: str
    case: str
    step: str
    kind: str
    at: datetime


async def last(connection: AsyncConnection) -> Gap | None:
    """What was lost last, or None: nothing ever was."""
    row = (await connection.execute(_LAST)).one_or_none()
    return Gap(row.backup_taken_at, row.restored_at) if row else None


async def last_life(connection: AsyncConnection) -> datetime | None:
    """The newest sign of life there is: of a restored database, when its backup was taken."""
    at: datetime | None = (await connection.execute(_LAST_LIFE)).scalar_one()
    return at


async def add(connection: AsyncConnection, gap: Gap, by: str) -> None:
    """From now on what became due in this gap counts as done, perhaps."""
    highest = select(func.coalesce(func.max(customers.c.told), 0)).scalar_subquery()
    values = {
        "backup_taken_at": gap.began_at,
        "restored_at": gap.ended_at,
        "by": by,
        "sequence": func.greatest(highest, first_sequence()) + A_LEAP,
    }
    await connection.execute(insert(restores).values(values))


def first_sequence() -> ScalarSelect[int]:
    """The number below all that applications are told since; 0 where nothing was ever restored."""
    return select(func.coalesce(func.max(restores.c.sequence), 0)).scalar_subquery()


async def give_up_waiting(connection: AsyncConnection, kinds: Collection[Kind]) -> list[Waiting]:
    """What waited or was under way when the backup was taken: nobody knows of it any more."""
    due = (outbox.c.status == "sending") | (outbox.c.due_at <= func.clock_timestamp())
    rows = await connection.execute(
        update(outbox)
        .where(outbox.c.status.in_(("pending", "sending")), due)
        .where(outbox.c.kind.in_([kind.value for kind in kinds]))
        .values(status="unknown", last_error=MAYBE_SENT, lease_until=None)
        .returning(*(outbox.c[name] for name in Waiting.__slots__))
    )
    return sorted((Waiting(**row) for row in rows.mappings()), key=lambda row: row.id)


async def doubtful(connection: AsyncConnection) -> list[Doubtful]:
    """All that may have been done in what was lost, the oldest first; none that was heard of since."""
    found = await connection.execute(
        text("""
            SELECT customers.ref AS customer, outbox.case, outbox.step, outbox.kind, outbox.created_at AS at
            FROM outbox JOIN customers ON customers.id = outbox.customer_id
            WHERE outbox.status = 'unknown' AND outbox.last_error = :mark
              AND NOT EXISTS (SELECT FROM mail_results WHERE mail_results.outbox_id = outbox.id)
            ORDER BY outbox.created_at, outbox.id
        """),
        {"mark": MAYBE_SENT},
    )
    return [Doubtful(**row) for row in found.mappings()]
