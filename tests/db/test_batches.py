"""A batch is no larger than was asked for, however PostgreSQL plans to read it.

Where a LIMIT stands in a subquery that is joined by a nested loop, it is asked for again and again; with SKIP
LOCKED each answer has other rows. Which plan is chosen depends on what is known of the table.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import deliveries, inbox
from db.sweep import DUE, EVENTS, MOST_ATTEMPTS, OUTBOX, RETIRE
from tests.db.conftest import Database

NESTED_LOOPS = """
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off;
    SET LOCAL enable_hashagg = off; SET LOCAL enable_sort = off; SET LOCAL enable_memoize = off;
"""
# Twenty of everything that can be due, of events as many again that are to be retired.
ROWS = """
    INSERT INTO customers (source, ref) SELECT 'stripe', 'cus_' || n FROM generate_series(1, 20) n;
    INSERT INTO inbox (source, event_id, type, livemode, status, attempts, due_at, payload)
    SELECT 'stripe', 'evt_' || n, 'invoice.paid', false, 'pending',
           CASE WHEN n <= 20 THEN 1 ELSE 9 END, now(), ''
    FROM generate_series(1, 40) n;
    INSERT INTO outbox (customer_id, "case", step, kind, name, channel, reason, status, created_at, due_at)
    SELECT id, 'in_1', 'mail:' || id, 'mail', 'm', 'mail', 'r', 'pending', now(), now() - interval '1 hour'
    FROM customers;
    INSERT INTO subscriptions (customer_id, ref, status, due_at)
    SELECT id, 'sub_1', 'active', now() - interval '1 hour' FROM customers;
    INSERT INTO cases (customer_id, invoice, subscription, opened_at, grace, due_at)
    SELECT id, 'in_1', 'sub_1', now(), interval '14 days', now() - interval '1 hour' FROM customers;
"""
SWEPT = {
    "retired": (RETIRE, {}),
    "events": (EVENTS, {"most": MOST_ATTEMPTS}),
    "effects": (OUTBOX, {"delay": 0.0, "kinds": ["mail", "team", "retry", "end"]}),
    "cases": (DUE["cases"], {"again": 1.0}),
    "renewals": (DUE["subscriptions"], {"again": 1.0}),
}


async def prepare(connection: AsyncConnection) -> None:
    for statement in (ROWS + NESTED_LOOPS).split(";"):
        if statement.strip():
            await connection.exec_driver_sql(statement)


@pytest.mark.parametrize("what", SWEPT)
def test_a_sweep_hands_out_a_batch(database: Database, what: str) -> None:
    """Three of twenty, and another three the next time."""
    statement, values = SWEPT[what]
    wanted = {"batch": 3, "now": datetime.now(UTC) + timedelta(minutes=1)} | values
    asked = {name: value for name, value in wanted.items() if f":{name}" in statement.text}

    async def story(connection: AsyncConnection) -> list[int]:
        await prepare(connection)
        return [len((await connection.execute(statement, asked)).all()) for _ in range(2)]

    found = database.commit(story)
    assert found[0] == 3


def test_class_21_what_may_have_ended_its_process_comes_alone(database: Database) -> None:
    """Its neighbours must not be retired with it."""

    async def story(connection: AsyncConnection) -> int:
        await prepare(connection)
        return len(await inbox.take_up(connection, range(1, 21)))

    assert database.commit(story) == 1


def test_a_worker_takes_so_many_deliveries(database: Database) -> None:
    """And leaves the rest to whoever comes next."""

    async def story(connection: AsyncConnection) -> int:
        await prepare(connection)
        for statement in (
            "INSERT INTO endpoints (url, secret) VALUES ('https://app.acme.example/', 'whsec_test')",
            """INSERT INTO outgoing (customer_id, type, sequence, message, body)
               SELECT id, 'case.opened', id, 'msg_' || id, '{}' FROM customers""",
            """INSERT INTO deliveries (event_id, endpoint_id, status, due_at)
               SELECT outgoing.id, endpoints.id, 'pending', now() FROM outgoing, endpoints""",
        ):
            await connection.execute(text(statement))
        endpoint = (await connection.execute(text("SELECT id FROM endpoints"))).scalar_one()
        return len(await deliveries.claim(connection, endpoint, 3))

    assert database.commit(story) == 3
