"""How much work waits, how long it has waited, and what has come to nothing. Read only.

Ages are measured by the database's clock, as due times are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import breaker
from db.breaker import Tripped


@dataclass(frozen=True, slots=True)
class InboxState:
    """Events not applied yet, how long the oldest has been here, and events that were given up."""

    pending: int
    oldest: timedelta | None
    dead: int


@dataclass(frozen=True, slots=True)
class OutboxState:
    """Effects by status. `overdue` is how long the longest-waiting one could have been taken up."""

    pending: int
    sending: int
    unknown: int
    failed: int
    overdue: timedelta | None


@dataclass(frozen=True, slots=True)
class CasesState:
    """Cases that want money, and all that want attention now. `overdue` leaves test clocks out."""

    open: int
    due: int
    overdue: timedelta | None


@dataclass(frozen=True, slots=True)
class State:
    """`tripped` is what holds everything back."""

    inbox: InboxState
    outbox: OutboxState
    cases: CasesState
    tripped: Tripped | None = None


# Partial indexes answer: `inbox_due`, `inbox_dead`, `outbox_due`, `outbox_unsent`, `cases_open`, `cases_due`.
INBOX = text("""
    SELECT (SELECT count(*) FROM inbox WHERE status = 'pending') AS pending,
           (SELECT clock_timestamp() - min(received_at) FROM inbox WHERE status = 'pending') AS oldest,
           (SELECT count(*) FROM inbox WHERE status = 'dead') AS dead
""")

OUTBOX = text("""
    SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
           count(*) FILTER (WHERE status = 'sending') AS sending,
           (SELECT count(*) FROM outbox WHERE status = 'unknown') AS unknown,
           (SELECT count(*) FROM outbox WHERE status = 'failed') AS failed,
           clock_timestamp() - min(CASE status WHEN 'pending' THEN due_at WHEN 'sending' THEN lease_until END)
               AS overdue
    FROM outbox WHERE status IN ('pending', 'sending')
""")

CASES = text("""
    SELECT (SELECT count(*) FROM cases WHERE closed_at IS NULL) AS open,
           (SELECT count(*) FROM cases WHERE test_clock IS NULL AND due_at <= statement_timestamp())
           + (SELECT count(*) FROM cases
              JOIN customers ON customers.id = cases.customer_id
              JOIN test_clocks ON test_clocks.source = customers.source AND test_clocks.ref = cases.test_clock
              WHERE cases.due_at <= test_clocks.reached) AS due,
           (SELECT clock_timestamp() - min(due_at) FROM cases WHERE test_clock IS NULL) AS overdue
""")


async def read(connection: AsyncConnection) -> State:
    """The state of everything that waits, at one moment if the transaction sees one."""
    inbox = (await connection.execute(INBOX)).one()
    outbox = (await connection.execute(OUTBOX)).one()
    cases = (await connection.execute(CASES)).one()
    return State(
        inbox=InboxState(inbox.pending, inbox.oldest, inbox.dead),
        outbox=OutboxState(
            outbox.pending, outbox.sending, outbox.unknown, outbox.failed, _passed(outbox.overdue)
        ),
        cases=CasesState(cases.open, cases.due, _passed(cases.overdue)),
        tripped=await breaker.tripped(connection),
    )


def _passed(overdue: timedelta | None) -> timedelta | None:
    """None for what lies ahead."""
    return overdue if overdue and overdue > timedelta(0) else None
