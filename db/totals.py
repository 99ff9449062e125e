"""Who owes what at this moment, counted over everybody: accounts, open cases, money at risk. Read only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import mapping
from dunning.declines import Category

# The partial index `subscriptions_behind` answers.
ACCOUNTS = text("""
    SELECT status, count(DISTINCT customer_id) AS accounts FROM subscriptions
    WHERE status IN ('past_due', 'unpaid') GROUP BY status
""")

# The partial index `cases_open` finds the cases; of each, the newest charge tells the reason.
CASES = text("""
    SELECT reason_code, reason_decline_code, reason_method_type, action_required, no_method,
           last.ref AS charge, last.code, last.decline_code, last.outcome_reason, last.advice_code,
           last.method_type, currency, count(*) AS cases, sum(amount_remaining) AS amount
    FROM cases
    JOIN invoices ON invoices.customer_id = cases.customer_id AND invoices.ref = cases.invoice
    LEFT JOIN LATERAL (
        SELECT true AS ref, code, decline_code, outcome_reason, advice_code, method_type FROM charges
        WHERE charges.customer_id = cases.customer_id AND charges.invoice = cases.invoice
        ORDER BY at DESC, charges.ref DESC LIMIT 1) AS last ON true
    WHERE closed_at IS NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
""")

# By the program: where a person switched an endpoint off, nobody was called.
ENDPOINTS = text("""
    SELECT count(*) AS disabled FROM endpoints WHERE EXISTS (
        SELECT FROM alarms WHERE kind = 'endpoint' AND subject = endpoints.id AND raised_at >= disabled_at)
""")
DELIVERIES = text("SELECT count(*) AS pending FROM deliveries WHERE status = 'pending'")

ACCESS = text("SELECT level, count(*) AS customers FROM access GROUP BY level")


@dataclass(frozen=True, slots=True)
class Totals:
    """Accounts by subscription status, open cases by decline category, open amounts by currency.

    Amounts are in minor units; currencies as Stripe writes them, in lower case. `deliveries` wait for the
    merchant's own endpoints, of which `disabled` are told nothing any more since they failed for too long.
    """

    accounts: Mapping[str, int] = field(default_factory=dict)
    cases: Mapping[Category, int] = field(default_factory=dict)
    amounts: Mapping[str, int] = field(default_factory=dict)
    disabled: int = 0
    deliveries: int = 0


async def read(connection: AsyncConnection) -> Totals:
    """Count what is behind and what is open."""
    accounts = {row.status: row.accounts for row in await connection.execute(ACCOUNTS)}
    cases: Counter[Category] = Counter()
    amounts: Counter[str] = Counter()
    for row in await connection.execute(CASES):
        cases[mapping.decline(row).category] += row.cases
        amounts[row.currency] += int(row.amount)
    disabled = (await connection.execute(ENDPOINTS)).scalar_one()
    deliveries = (await connection.execute(DELIVERIES)).scalar_one()
    return Totals(accounts, cases, amounts, disabled, deliveries)


async def access(connection: AsyncConnection) -> dict[str, int]:
    """Customers by access level. Reads them all."""
    return {row.level: row.customers for row in await connection.execute(ACCESS)}
