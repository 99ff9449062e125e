"""A row in every table of whatever schema a database has, as a version of that schema would write it."""

from __future__ import annotations

from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations

# Where a column has a default, a version that knows the column gives it a value all the same.
BY_TYPE = {
    "text": "'of before'",
    "bigint": "7",
    "integer": "3",
    "boolean": "true",
    "timestamp with time zone": "timestamptz '2026-01-02 03:04:05+00'",
    "interval": "interval '14 days'",
    "jsonb": "jsonb '{}'",
    "bytea": "sha256(:key::text::bytea)",
    "ARRAY": "ARRAY['en']",
}
# Words that have to be known, and keys.
BY_NAME = {
    "inbox.event_id": "'evt_' || :key",
    "inbox.status": "'done'",
    "customers.source": "'stripe'",
    "customers.ref": "'cus_' || :key",
    "customers.metadata": 'jsonb \'{"tier": "gold"}\'',
    "subscriptions.ref": "'sub_' || :key",
    "subscriptions.interval": "'month'",
    "invoices.ref": "'in_' || :key",
    "invoices.amount_remaining": "1900",
    "invoices.amount_paid": "100",
    "invoices.amount_due": "2000",
    "charges.ref": "'ch_' || :key",
    "cases.invoice": "'in_' || :key",
    "cases.outcome": "'recovered'",
    "cases.policy": 'jsonb \'{"key": "0a1b/base", "gone": 1}\'',
    "methods.ref": "'pm_' || :key",
    "access.level": "'warned'",
    "outbox.kind": "'mail'",
    "outbox.status": "'sent'",
    "outbox.step": "'payment_failed:in_' || :key",
    "journal.kind": "'event.applied'",
    "heartbeats.process": "'worker-' || :key",
    "test_clocks.ref": "'clock_' || :key",
    "instructions.verb": "'stop'",
    "mail_results.kind": "'hard_bounce'",
    "breaker.released_at": "now()",
    "endpoints.url": "'https://shop.example/' || :key",
    "outgoing.message": "'msg_' || :key",
    "api_requests.name": "'request ' || :key",
    "imports.state": "'done'",
    "reconciliations.kind": "'kind ' || :key",
}

COLUMNS = """
    SELECT table_name AS of, column_name AS name, data_type AS type, is_identity = 'YES' AS numbered
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    ORDER BY table_name, ordinal_position
"""
REFERENCES = """
    SELECT conrelid::regclass::text AS of, attname AS name, confrelid::regclass::text AS to
    FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'f'
"""


async def fillers(connection: Any) -> list[str]:
    """An INSERT for each table, in an order that foreign keys allow; `:key` makes its row another one."""
    columns: dict[str, list[asyncpg.Record]] = {}
    for column in await connection.fetch(COLUMNS):
        columns.setdefault(column["of"], []).append(column)
    to = {(each["of"], each["name"]): each["to"] for each in await connection.fetch(REFERENCES)}

    def depth(table: str) -> int:
        return 1 + max((depth(to[of, name]) for of, name in to if of == table), default=0)

    return [_filler(table, columns[table], to) for table in sorted(columns, key=depth)]


def _filler(table: str, columns: list[asyncpg.Record], to: dict[tuple[str, str], str]) -> str:
    values = {}
    for column in columns:
        name = column["name"]
        if parent := to.get((table, name)):
            values[name] = f"(SELECT max(id) FROM {parent})"  # noqa: S608  # names of our own
        elif not column["numbered"]:
            values[name] = BY_NAME.get(f"{table}.{name}", BY_TYPE[column["type"]])
    names = ", ".join(f'"{name}"' for name in values)
    return f"INSERT INTO {table} ({names}) SELECT {', '.join(values.values())}"
