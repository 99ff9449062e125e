"""A database of the first schema with many customers, and what goes on in it meanwhile."""

from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]  # ships no annotations

from settings.urls import for_asyncpg

# The n-th row of each large table, one a customer.
LARGE = {
    "customers": """
        INSERT INTO customers (source, ref, email)
        SELECT 'stripe', 'cus_' || n, n || '@customer.example'""",
    "inbox": """
        INSERT INTO inbox (source, event_id, type, livemode, status, payload)
        SELECT 'stripe', 'evt_' || n, 'invoice.paid', true,
               CASE WHEN n % 1000 = 0 THEN 'dead' ELSE 'done' END, '{}'""",
    "subscriptions": """
        INSERT INTO subscriptions (customer_id, ref, status, interval, period_end)
        SELECT n, 'sub_' || n, 'active', CASE WHEN n % 3 = 0 THEN 'year' ELSE 'month' END,
               now() + interval '10 days'""",
    "invoices": """
        INSERT INTO invoices (customer_id, ref, status, currency, amount_remaining, amount_paid,
                              attempt_count, ledger_attempt, action_required, no_method)
        SELECT n, 'in_' || n, 'paid', 'usd', 0, 1900, 1, 1, false, false""",
    "charges": """
        INSERT INTO charges (customer_id, ref, invoice, at) SELECT n, 'ch_' || n, 'in_' || n, now()""",
    "cases": """
        INSERT INTO cases (customer_id, invoice, subscription, opened_at, grace)
        SELECT n, 'in_' || n, 'sub_' || n, now() - interval '300 days', interval '14 days'""",
    "access": """
        INSERT INTO access (customer_id, level, reason, changed_at) SELECT n, 'full', 'paid', now()""",
    "outbox": """
        INSERT INTO outbox (customer_id, "case", step, kind, name, channel, reason, status, recipient,
                            created_at)
        SELECT n, 'in_' || n, 'payment_failed:in_' || n, 'mail', 'payment_failed', 'mail', 'charge 1 failed',
               'sent', n || '@customer.example', now()""",
    "journal": """
        INSERT INTO journal (customer_id, at, kind)
        SELECT n, now(), CASE WHEN n % 50 = 0 THEN 'access.taken' ELSE 'event.applied' END""",
}

# What a version of the first schema says all the time, by the table; $1 counts.
TRAFFIC = {
    "inbox": """
        INSERT INTO inbox (source, event_id, type, livemode, status)
        VALUES ('stripe', 'new_' || $1::int, 'invoice.paid', true, 'pending')""",
    "customers": "INSERT INTO customers (source, ref) VALUES ('stripe', 'new_' || $1::int)",
    "subscriptions": "UPDATE subscriptions SET status = 'past_due' WHERE customer_id = $1::int % 3000 + 1",
    "invoices": "UPDATE invoices SET amount_paid = amount_paid + 1 WHERE customer_id = $1::int % 3000 + 1",
    "charges": """
        INSERT INTO charges (customer_id, ref, invoice, at)
        VALUES ($1::int % 3000 + 1, 'new_' || $1, 'in_1', now())""",
    "cases": "UPDATE cases SET due_at = now() WHERE customer_id = $1::int % 3000 + 1",
    "access": "SELECT level FROM access WHERE customer_id = $1::int % 3000 + 1",
    "outbox": "UPDATE outbox SET attempts = attempts + 1 WHERE id = $1::int % 3000 + 1",
    "journal": """
        INSERT INTO journal (customer_id, at, kind) VALUES ($1::int % 3000 + 1, now(), 'event.applied')""",
}


async def fill(url: str, rows: int) -> None:
    """Give each large table so many rows."""
    connection = await asyncpg.connect(for_asyncpg(url))
    for statement in LARGE.values():
        await connection.execute(f"{statement} FROM generate_series(1, $1::bigint) AS n", rows)
    await connection.close()
