"""What can be learned of the provider's settings from what it has done. Read only.

No API tells how long Stripe retries, and what it does at the end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Habits:
    """`cases` are the newest dunned invoices, which were looked at.

    `window`: the longest from a first failure to the provider's last charge, made or planned. `outlasted`:
    cases in which it charged after our grace; `cut_short`: cases that it ended before.
    `cancelled`, `unpaid`, `paused`: how unpaid subscriptions ended. `never_charged`: invoices of which two or
    more attempts were no charges. `silence`: since the last event; `strangers`: events of the last
    week that were of the other mode; `versions`: the API versions of the newest events.
    """

    cases: int
    window: timedelta | None
    outlasted: int
    cut_short: int
    cancelled: int
    unpaid: int
    paused: int
    never_charged: int
    silence: timedelta | None
    strangers: int
    versions: Sequence[str]


CASES = text("""
    WITH seen AS (
        SELECT cases.opened_at, cases.grace, invoices.failed_at,
               subscriptions.ended_at, subscriptions.ended_for,
               greatest(invoices.last_failed_at, invoices.next_attempt_at) AS last_charge,
               invoices.attempt_count
                   - (SELECT count(*) FROM charges
                      WHERE charges.customer_id = cases.customer_id AND charges.invoice = cases.invoice)
                   AS not_charged
        FROM cases
        JOIN invoices ON invoices.customer_id = cases.customer_id AND invoices.ref = cases.invoice
        JOIN subscriptions
             ON subscriptions.customer_id = cases.customer_id AND subscriptions.ref = cases.subscription
        ORDER BY cases.opened_at DESC
        LIMIT 5000
    )
    SELECT count(*) AS cases,
           max(last_charge - failed_at) AS "window",
           count(*) FILTER (WHERE last_charge > opened_at + grace) AS outlasted,
           count(*) FILTER (WHERE ended_for = 'payment_failed' AND ended_at < opened_at + grace) AS cut_short,
           count(*) FILTER (WHERE not_charged >= 2) AS never_charged
    FROM seen
""")

ENDS = text("""
    SELECT count(*) FILTER (WHERE ended_for = 'payment_failed') AS cancelled,
           count(*) FILTER (WHERE status = 'unpaid') AS unpaid,
           count(*) FILTER (WHERE status = 'paused' AND paused_for IS NOT NULL) AS paused
    FROM subscriptions
""")

EVENTS = text("""
    SELECT (SELECT clock_timestamp() - received_at FROM inbox
            WHERE source = 'stripe' ORDER BY id DESC LIMIT 1) AS silence,
           (SELECT count(*) FROM inbox
            WHERE source = 'stripe' AND status = 'ignored' AND livemode <> :livemode
              AND received_at > statement_timestamp() - interval '7 days') AS strangers
""")

NEWEST = text("""
    SELECT payload FROM inbox WHERE source = 'stripe' AND payload IS NOT NULL ORDER BY id DESC LIMIT 50
""")


async def read(connection: AsyncConnection, *, livemode: bool) -> Habits:
    """`livemode` is the mode that is served."""
    cases = (await connection.execute(CASES)).mappings().one()
    ends = (await connection.execute(ENDS)).mappings().one()
    events = (await connection.execute(EVENTS, {"livemode": livemode})).mappings().one()
    newest = (await connection.execute(NEWEST)).scalars()
    versions = {version for payload in newest if (version := _version(payload))}
    facts: Mapping[str, object] = {**cases, **ends, **events, "versions": sorted(versions)}
    return Habits(**facts)  # type: ignore[arg-type]  # the statements above name the fields


def _version(payload: bytes) -> str | None:
    """The API version of one event; None for what is no event."""
    try:
        version = json.loads(payload).get("api_version")
    except (ValueError, AttributeError):
        return None
    return version if isinstance(version, str) else None
