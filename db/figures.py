"""What figures are made of: a row for each case, streamed, and counts by the database itself. Read only.

Cases on test clocks are no business and stay out unless they are asked for. So do first payments, which
never were revenue; they are counted apart. Causes are read from the journal, which is kept for ever and says
what was heard, done and answered, and when.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dunning.instructions import THE_CUSTOMER

# Rows that are held at a time. To take up so many keeps nobody else waiting.
AT_A_TIME = 250


@dataclass(frozen=True, slots=True)
class Wanted:
    """Cases that opened from `begin` on and before `end` (instants), of one currency (lower case) or of all.

    `now` is the wall clock. `zone` is the time zone's name, by which months are told apart.
    """

    begin: datetime
    end: datetime
    now: datetime
    zone: str
    currency: str | None = None
    test_clocks: bool = False

    @property
    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class AtRisk:
    """All cases of one currency that are open now: how many, and what is unpaid, in minor units."""

    currency: str
    cases: int
    amount: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How many subscriptions ended in a month (its first day), and whether anybody wanted that."""

    month: date
    why: str
    subscriptions: int


_OF_CASES = """
    FROM cases c
    JOIN customers u ON u.id = c.customer_id
    JOIN invoices i ON i.customer_id = c.customer_id AND i.ref = c.invoice
    LEFT JOIN test_clocks t ON t.source = u.source AND t.ref = u.test_clock
"""
_BUSINESS = """
    (CAST(:test_clocks AS boolean) OR u.test_clock IS NULL)
    AND (CAST(:currency AS text) IS NULL OR lower(i.currency) = :currency)
"""
_IN_PERIOD = "c.opened_at >= :begin AND c.opened_at < :end"
_RENEWAL = "i.billing_reason IS DISTINCT FROM 'subscription_create'"

# What was heard or done from the failure to the payment; a mail to the team is none to the customer. Our own
# entries are written a little after what they tell of, so those that answer a charge are looked for a day
# longer; whoever reads them compares the times.
_EVIDENCE = f"""
    SELECT min(j.at) FILTER (
               WHERE j.kind IN ('instruction.extend', 'instruction.pause', 'instruction.promise',
                                'instruction.hand_over', 'link.made', 'mail.asked')
                 AND j.data ->> 'by' IS DISTINCT FROM '{THE_CUSTOMER}') AS acted_at,
           min(j.at) FILTER (WHERE j.kind = 'return.asked') AS returned_at,
           min(j.at) FILTER (
               WHERE j.kind = 'mail.sent' AND j.data ->> 'step' NOT LIKE 'escalation:%') AS mailed_at,
           min(coalesce(b.created_at, j.at)) FILTER (WHERE j.kind = 'event.applied') AS method_at,
           max(j.data ->> 'step') FILTER (
               WHERE j.kind = 'retry.sent'
                 AND (j.reason LIKE 'paid%'
                      OR (j.reason LIKE 'processing%' AND j.at >= i.last_failed_at))) AS charged
    FROM journal j
    LEFT JOIN inbox b
           ON j.kind = 'event.applied' AND b.source = u.source AND b.event_id = j.data ->> 'event'
    WHERE i.paid_at IS NOT NULL AND j.customer_id = c.customer_id
      AND j.at >= c.opened_at AND j.at <= i.paid_at + interval '1 day'
      AND (j."case" = c.invoice
           OR (j."case" IS NULL AND j.kind LIKE 'instruction.%')
           OR (j.kind = 'event.applied' AND replace(j.reason, 'v1.', '') IN
               ('payment_method.attached', 'payment_method.updated',
                'payment_method.automatically_updated', 'setup_intent.succeeded')))
"""  # noqa: S608  # a word of ours

CASES = text(f"""
    SELECT c.opened_at, c.closed_at, c.outcome, i.paid_at, coalesce(t.reached, :now) AS seen_at,
           i.currency, i.amount_due, i.amount_paid, i.amount_remaining, i.amount_refunded,
           i.action_required, i.no_method, i.reason_code, i.reason_decline_code, i.reason_method_type,
           f.charge, f.code, f.decline_code, f.outcome_reason, f.advice_code, f.method_type,
           i.counted_at, i.last_failed_at, e.acted_at, e.returned_at, e.mailed_at, e.charged,
           least(e.method_at, CASE WHEN u.method_changed_at >= c.opened_at THEN u.method_changed_at END)
               AS method_at
    {_OF_CASES}
    LEFT JOIN LATERAL (
        SELECT h.ref AS charge, h.code, h.decline_code, h.outcome_reason, h.advice_code, h.method_type
        FROM charges h WHERE h.customer_id = c.customer_id AND h.invoice = c.invoice
        ORDER BY h.at, h.ref LIMIT 1
    ) f ON true
    LEFT JOIN LATERAL ({_EVIDENCE}) e ON true
    WHERE {_IN_PERIOD} AND {_BUSINESS} AND {_RENEWAL}
""")  # noqa: S608  # made of the constants above

FIRST_PAYMENTS = text(f"SELECT count(*) {_OF_CASES} WHERE {_IN_PERIOD} AND {_BUSINESS} AND NOT ({_RENEWAL})")

AT_RISK = text(f"""
    SELECT lower(i.currency) AS currency, count(*) AS cases, sum(i.amount_remaining) AS amount
    {_OF_CASES}
    WHERE c.closed_at IS NULL AND {_BUSINESS} AND {_RENEWAL}
    GROUP BY 1 ORDER BY 2 DESC, 1
""")

# Ended by the provider for want of money, by us, or while stopped for it; or because somebody asked for it.
# A subscription that we cancel at the provider carries the reason of a request, so ours is looked for first.
CHURN = text("""
    SELECT CAST(date_trunc('month', s.ended_at AT TIME ZONE :zone) AS date) AS month,
           CASE
               WHEN s.ended_for IN ('payment_failed', 'payment_disputed')
                 OR (s.nonpayment_at IS NOT NULL
                     AND (s.last_paid_at IS NULL OR s.last_paid_at < s.nonpayment_at))
                 OR EXISTS (SELECT FROM cases c
                            JOIN journal j ON j.customer_id = c.customer_id AND j."case" = c.invoice
                            WHERE c.customer_id = s.customer_id AND c.subscription = s.ref
                              AND j.kind = 'end.sent' AND j.reason = 'cancel')
               THEN 'involuntary'
               WHEN s.ended_for = 'cancellation_requested' THEN 'voluntary'
               ELSE 'unknown'
           END AS why,
           count(*) AS subscriptions
    FROM subscriptions s JOIN customers u ON u.id = s.customer_id
    WHERE s.status = 'canceled' AND s.ended_at >= :begin AND s.ended_at < :end
      AND (CAST(:test_clocks AS boolean) OR u.test_clock IS NULL)
      AND (CAST(:currency AS text) IS NULL OR lower(s.currency) = :currency)
    GROUP BY 1, 2 ORDER BY 1, 2
""")

SINCE = text("SELECT recorded_at FROM journal ORDER BY id LIMIT 1")


async def cases(connection: AsyncConnection, wanted: Wanted) -> AsyncIterator[Sequence[Row[Any]]]:
    """Every case of the period in no order, some at a time: never all of them at once."""
    found = await connection.stream(CASES, wanted.values)
    async for some in found.partitions(AT_A_TIME):
        yield some


async def first_payments(connection: AsyncConnection, wanted: Wanted) -> int:
    """How many cases of the period were first payments."""
    return int((await connection.execute(FIRST_PAYMENTS, wanted.values)).scalar_one())


async def at_risk(connection: AsyncConnection, wanted: Wanted) -> list[AtRisk]:
    """What is open now, whenever it failed, the currency with the most cases first."""
    rows = await connection.execute(AT_RISK, wanted.values)
    return [AtRisk(row.currency, row.cases, int(row.amount)) for row in rows]


async def churn(connection: AsyncConnection, wanted: Wanted) -> list[Ended]:
    """Subscriptions that ended in the period: `voluntary`, `involuntary` or `unknown`."""
    rows = await connection.execute(CHURN, wanted.values)
    return [Ended(row.month, row.why, row.subscriptions) for row in rows]


async def since(connection: AsyncConnection) -> datetime | None:
    """When the first thing was written down, or None: nothing was."""
    return (await connection.execute(SINCE)).scalar_one_or_none()
