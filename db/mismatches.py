"""Where access and money disagree, by the local rows alone: both sides of one question. Read only.

Access is worked out from the same rows whenever something happens to an account. So both counts are 0 unless
something never happened: an event that was given up, a fault of ours, a row that was changed by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Mismatches:
    """Customers on each side, and since when the longest of them has been there.

    `locked`: paid, and without full access. `open`: with access, and nothing of theirs is paid for.
    """

    locked: int
    open: int
    locked_for: timedelta | None
    open_for: timedelta | None


# As `dunning.access` has it: a subscription in good standing, no stop that money has not lifted, and no case
# that still keeps what it has taken.
_LOCKED = """
    FROM access JOIN customers ON customers.id = access.customer_id AND NOT customers.deleted
    WHERE access.level IN ('limited', 'revoked') AND EXISTS (
        SELECT FROM subscriptions s
        WHERE s.customer_id = access.customer_id AND s.status IN ('active', 'trialing')
          AND (s.nonpayment_at IS NULL OR s.last_paid_at >= s.nonpayment_at)
          AND NOT EXISTS (
              SELECT FROM cases c
              WHERE c.customer_id = s.customer_id AND c.subscription = s.ref
                AND coalesce(c.taken_at, c.limited_at) IS NOT NULL
                AND coalesce(c.outcome, '') NOT IN ('recovered', 'forgiven')
                AND (c.closed_at IS NULL OR s.last_paid_at IS NULL
                     OR s.last_paid_at < greatest(c.taken_at, c.limited_at))))
"""

# Nothing but stopped and ended subscriptions, or none at all that money has lifted the stop of, and nobody
# forgave. A status nobody here knows gives access: it is counted on neither side.
_OPEN = """
    FROM access JOIN customers ON customers.id = access.customer_id
    WHERE access.level <> 'revoked' AND NOT EXISTS (
        SELECT FROM subscriptions s
        WHERE s.customer_id = access.customer_id
          AND s.status NOT IN ('canceled', 'unpaid', 'incomplete', 'incomplete_expired', 'paused')
          AND (s.nonpayment_at IS NULL OR s.last_paid_at >= s.nonpayment_at
               OR EXISTS (SELECT FROM cases c
                          WHERE c.customer_id = s.customer_id AND c.subscription = s.ref
                            AND c.outcome = 'forgiven')))
"""

_COUNT = "SELECT count(*) AS customers, clock_timestamp() - min(changed_at) AS since"
LOCKED, OPEN = text(_COUNT + _LOCKED), text(_COUNT + _OPEN)

_NAMES = "customers.source, customers.id, customers.ref, access.level, access.changed_at AS since"
EACH = text(f"""
    SELECT side, id, ref, level, since FROM (SELECT 'paid_but_locked' AS side, {_NAMES} {_LOCKED}
                   UNION ALL SELECT 'open_but_unpaid' AS side, {_NAMES} {_OPEN}) AS both_sides
    WHERE source = :source AND id > :after ORDER BY id LIMIT :most
""")  # noqa: S608  # made of constants


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A customer (row `id`) on one `side`: paid_but_locked, or open_but_unpaid. Their level is of `since`."""

    side: str
    id: int
    ref: str
    level: str
    since: datetime


async def read(connection: AsyncConnection) -> Mismatches:
    """Count both sides. Reads every row of access, so not every second."""
    locked = (await connection.execute(LOCKED)).one()
    open_ = (await connection.execute(OPEN)).one()
    return Mismatches(locked.customers, open_.customers, locked.since, open_.since)


async def each(connection: AsyncConnection, source: str, *, after: int = 0, most: int) -> list[Mismatch]:
    """Those of a source on either side, from a row id on."""
    rows = await connection.execute(EACH, {"source": source, "after": after, "most": most})
    return [Mismatch(**row) for row in rows.mappings()]
