"""Where access and money disagree, by the local rows alone: both sides of one question. Read only.

Access is worked out from the same rows whenever something happens to an account. So both counts are 0 unless
something never happened: an event that was given up, a fault of ours, a row that was changed by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

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
LOCKED = text("""
    SELECT count(*) AS customers, clock_timestamp() - min(changed_at) AS since FROM access
    JOIN customers ON customers.id = access.customer_id AND NOT customers.deleted
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
""")

# Nothing but stopped and ended subscriptions, or none at all that money has lifted the stop of, and nobody
# forgave. A status nobody here knows gives access: it is counted on neither side.
OPEN = text("""
    SELECT count(*) AS customers, clock_timestamp() - min(changed_at) AS since FROM access
    WHERE access.level <> 'revoked' AND NOT EXISTS (
        SELECT FROM subscriptions s
        WHERE s.customer_id = access.customer_id
          AND s.status NOT IN ('canceled', 'unpaid', 'incomplete', 'incomplete_expired', 'paused')
          AND (s.nonpayment_at IS NULL OR s.last_paid_at >= s.nonpayment_at
               OR EXISTS (SELECT FROM cases c
                          WHERE c.customer_id = s.customer_id AND c.subscription = s.ref
                            AND c.outcome = 'forgiven')))
""")


async def read(connection: AsyncConnection) -> Mismatches:
    """Count both sides. Reads every row of access, so not every second."""
    locked = (await connection.execute(LOCKED)).one()
    open_ = (await connection.execute(OPEN)).one()
    return Mismatches(locked.customers, open_.customers, locked.since, open_.since)
