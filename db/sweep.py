"""What the scheduler looks for: rows that are due and that nobody has taken up.

Each statement claims a batch with SKIP LOCKED and moves its rows' next look ahead in the same breath, so
missed ticks catch up by themselves and two schedulers share the work. The batch is chosen in a WITH, which is
asked once: some plans ask a subquery again for each row, and with SKIP LOCKED get others. An event
that was tried too often is retired here, even if it killed the process each time; one that merely waits in a
long queue is not. What is due is asked by statement_timestamp(): clock_timestamp() moves while a statement
runs, and no index is entered at that.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import deliveries

BATCH = 1000
# An event that could not be applied this often is poison: it is retired with its last error.
MOST_ATTEMPTS = 5
# Any constant of our own: one scheduler sweeps at a time. Released with the transaction, however it ends.
TICK_LOCK = 0x7469636B


# The fields of `Swept` that hold row ids.
Found = Literal["events", "mail", "team", "billing", "customers", "endpoints"]
EVERYTHING: frozenset[Found] = frozenset(get_args(Found))
# The outbox's kinds of rows, by what they are found as.
KINDS: dict[Found, tuple[str, ...]] = {"mail": ("mail",), "team": ("team",), "billing": ("retry", "end")}


@dataclass(frozen=True, slots=True)
class Swept:
    """Row ids to hand out, and how many events were retired."""

    events: tuple[int, ...] = ()
    mail: tuple[int, ...] = ()
    team: tuple[int, ...] = ()
    billing: tuple[int, ...] = ()
    customers: tuple[int, ...] = ()
    endpoints: tuple[int, ...] = ()
    retired: int = 0

    @property
    def total(self) -> int:
        return sum(len(getattr(self, kind)) for kind in EVERYTHING)

    @property
    def more(self) -> frozenset[Found]:
        """Of what there may be more that is due: a batch was full."""
        effects = len(self.mail) + len(self.team) + len(self.billing) >= BATCH
        full = {kind for kind in EVERYTHING if len(getattr(self, kind)) >= BATCH}
        return frozenset(full | set(KINDS) if effects else full)


# The number stands in the statement, so that the index `inbox_poison` is known to hold all of them: any other
# reads all that waits at each look, and where millions do its time-out ends it before it is through.
RETIRE = text(f"""
    WITH due AS MATERIALIZED (
        SELECT id FROM inbox
        WHERE status = 'pending' AND due_at <= statement_timestamp() AND attempts >= {MOST_ATTEMPTS}
        ORDER BY due_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    UPDATE inbox SET status = 'dead',
                     last_error = coalesce(last_error, 'it ended the process that applied it')
    FROM due WHERE inbox.id = due.id
    RETURNING inbox.id
""")  # noqa: S608  # a number of our own

# The time until they are handed out once more is `db.inbox.HANDED_OUT`.
EVENTS = text("""
    WITH due AS MATERIALIZED (
        SELECT id FROM inbox
        WHERE status = 'pending' AND due_at <= statement_timestamp() AND attempts < :most
        ORDER BY due_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    UPDATE inbox SET due_at = clock_timestamp()
                              + CASE attempts WHEN 0 THEN interval '10 seconds' ELSE interval '4 seconds' END
    FROM due WHERE inbox.id = due.id
    RETURNING inbox.id
""")

# `due_at` only moves up to the present, so that a claim may still take the row at once.
OUTBOX = text("""
    WITH due AS MATERIALIZED (
        SELECT id FROM outbox
        WHERE kind = ANY(:kinds) AND status IN ('pending', 'sending')
          AND due_at <= statement_timestamp() - make_interval(secs => :delay)
          AND (status = 'pending' OR lease_until <= statement_timestamp())
        ORDER BY due_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    UPDATE outbox SET due_at = clock_timestamp()
    FROM due WHERE outbox.id = due.id
    RETURNING outbox.id, outbox.kind
""")


def _marked(table: str, key: str) -> str:
    return f"""
        UPDATE {table} SET swept_at = clock_timestamp()
        FROM chosen WHERE {table}.customer_id = chosen.customer_id AND {table}.{key} = chosen.{key}
        RETURNING {table}.customer_id
    """  # noqa: S608  # names of our own, below


def _due(table: str, key: str) -> TextClause:
    """Customers who live by the wall clock and have a row of `table` that is due."""
    return text(f"""
        WITH chosen AS MATERIALIZED (
            SELECT customer_id, {key} FROM {table}
            WHERE test_clock IS NULL AND due_at <= :now
              AND (swept_at IS NULL OR swept_at <= statement_timestamp() - make_interval(secs => :again))
            ORDER BY due_at LIMIT :batch FOR UPDATE SKIP LOCKED)
        {_marked(table, key)}
    """)  # noqa: S608  # names of our own, below


def _due_on_clocks(table: str, key: str) -> TextClause:
    """The same of those who live by a test clock, at the time that clock has reached."""
    return text(f"""
        WITH chosen AS MATERIALIZED (
            SELECT due.customer_id, due.{key} FROM test_clocks
            JOIN {table} due ON due.test_clock = test_clocks.ref AND due.due_at <= test_clocks.reached
            JOIN customers ON customers.id = due.customer_id AND customers.source = test_clocks.source
            WHERE swept_at IS NULL OR swept_at <= statement_timestamp() - make_interval(secs => :again)
            ORDER BY due.due_at LIMIT :batch FOR UPDATE OF due SKIP LOCKED)
        {_marked(table, key)}
    """)  # noqa: S608  # names of our own, below


TIMED = {"cases": "invoice", "subscriptions": "ref"}
DUE = {table: _due(table, key) for table, key in TIMED.items()}
DUE_ON_CLOCKS = {table: _due_on_clocks(table, key) for table, key in TIMED.items()}


async def sweep(
    connection: AsyncConnection,
    *,
    now: datetime,
    delay: float,
    wanted: Collection[Found] = EVERYTHING,
) -> Swept:
    """Find what is due. `now` is business time for cases; rows younger than `delay` seconds are left alone.

    What is not `wanted` stays due. Nothing at all when another scheduler is sweeping at this moment.
    """
    locked = await connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": TICK_LOCK})
    if not locked.scalar_one():
        return Swept()
    retired = await _retired(connection)
    effects = await _effects(connection, delay, wanted)
    return Swept(
        events=await _events(connection) if "events" in wanted else (),
        mail=effects["mail"],
        team=effects["team"],
        billing=effects["billing"],
        customers=await _customers(connection, now, delay) if "customers" in wanted else (),
        endpoints=tuple(await deliveries.due(connection)) if "endpoints" in wanted else (),
        retired=retired,
    )


async def _retired(connection: AsyncConnection) -> int:
    return len((await connection.execute(RETIRE, {"batch": BATCH})).all())


async def _events(connection: AsyncConnection) -> tuple[int, ...]:
    found = await connection.execute(EVENTS, {"most": MOST_ATTEMPTS, "batch": BATCH})
    return tuple(sorted(row.id for row in found))


async def _effects(
    connection: AsyncConnection, delay: float, wanted: Collection[Found]
) -> dict[Found, tuple[int, ...]]:
    kinds = [kind for name in KINDS if name in wanted for kind in KINDS[name]]
    if not kinds:
        return dict.fromkeys(KINDS, ())
    found = (await connection.execute(OUTBOX, {"delay": delay, "batch": BATCH, "kinds": kinds})).all()
    return {name: tuple(sorted(row.id for row in found if row.kind in KINDS[name])) for name in KINDS}


async def _customers(connection: AsyncConnection, now: datetime, delay: float) -> tuple[int, ...]:
    again = {"again": 3 * delay, "batch": BATCH}
    customers: set[int] = set()
    for statement in DUE.values():
        customers |= {row.customer_id for row in await connection.execute(statement, again | {"now": now})}
    for statement in DUE_ON_CLOCKS.values():
        customers |= {row.customer_id for row in await connection.execute(statement, again)}
    return tuple(sorted(customers))
