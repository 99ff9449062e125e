"""Customers on the eve of a revocation whom the simulated Stripe knows, and is asked about before it."""

from __future__ import annotations

import json
from collections.abc import Sequence

# Of each customer, by row id: what a life is named by there, and Stripe's names instead.
_NAMES = """
    CREATE TEMPORARY TABLE names ON COMMIT DROP AS
    SELECT row_number() OVER () AS customer_id, given.*, 'stripe' AS source
    FROM jsonb_to_recordset('{names}') AS given (customer text, subscription text, invoice text)
"""
_RENAMED = (
    "UPDATE customers SET source = names.source, ref = names.customer FROM names WHERE id = customer_id",
    'UPDATE outbox SET step = replace(step, "case", invoice), "case" = invoice FROM names WHERE {theirs}',
    'UPDATE journal SET "case" = invoice FROM names WHERE {theirs}',
    "UPDATE subscriptions SET ref = names.subscription FROM names WHERE {theirs}",
    "UPDATE invoices SET ref = names.invoice, subscription = names.subscription FROM names WHERE {theirs}",
    "UPDATE charges SET invoice = names.invoice FROM names WHERE {theirs}",
    "UPDATE cases SET invoice = names.invoice, subscription = names.subscription FROM names WHERE {theirs}",
    "UPDATE access SET subscription = names.subscription FROM names WHERE {theirs}",
)


def renamed(failures: Sequence[str]) -> str:
    """The statements by which the first customers (row ids from 1) become those of these failed payments."""
    names = json.dumps([_of(json.loads(body)["data"]["object"]) for body in failures])
    tables = (each.split()[1] for each in _RENAMED)
    changes = [
        each.format(theirs=f"{table}.customer_id = names.customer_id")
        for table, each in zip(tables, _RENAMED, strict=True)
    ]
    return ";".join(["BEGIN", _NAMES.format(names=names), *changes, "COMMIT"])


def _of(invoice: dict[str, object]) -> dict[str, object]:
    billed = invoice["parent"]["subscription_details"]["subscription"]  # type: ignore[index]  # Stripe's own form
    return {"customer": invoice["customer"], "subscription": billed, "invoice": invoice["id"]}
