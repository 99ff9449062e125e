"""What is kept for so long and no longer, on real rows whose age is set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import retention
from db.retention import Keep
from tests.db.conftest import Database
from tests.db.rows import customer_row
from tests.db.test_batches import NESTED_LOOPS

DAYS = timedelta(days=30)
KEEP = Keep(events=timedelta(days=60), payloads=DAYS, mails=DAYS, links=DAYS, outgoing=DAYS)
# Of each kind: what is past its time by a minute, what has a minute left, and what is kept whatever its age.
ROWS = """
    CREATE TEMPORARY TABLE ages (name text, age interval, event text, mail text, delivery text)
    ON COMMIT DROP;
    INSERT INTO ages VALUES
        ('old', '30 days 1 minute', 'done', 'sent', 'delivered'),
        ('old', '30 days 1 minute', 'discarded', 'failed', NULL),
        ('young', '29 days 23:59', 'done', 'sent', 'delivered'),
        ('young', '29 days 23:59', 'discarded', 'failed', NULL),
        ('held', '400 days', 'pending', 'pending', 'pending'),
        ('held', '400 days', 'dead', 'sending', NULL);
    INSERT INTO inbox (source, event_id, type, livemode, status, due_at, payload)
    SELECT 'stripe', name || '_' || event, 'invoice.paid', false, event, clock_timestamp() - age, 'x'
    FROM ages;
    INSERT INTO outbox (customer_id, "case", step, kind, name, channel, reason, status, created_at, due_at,
                        recipient, rendered, last_error)
    SELECT 1, 'in_1', name || '_' || mail, 'mail', 'm', 'mail', 'r', mail, now(), clock_timestamp() - age,
           'ada@customer.example', '{"text": "Dear Ada"}', 'refused with 550: <ada> unknown' FROM ages;
    INSERT INTO mail_results (outbox_id, kind, at, by, details, recorded_at)
    SELECT id, 'delivered', now(), 'resend', 'to ada', clock_timestamp() - age
    FROM outbox JOIN ages ON step = ages.name || '_sent' WHERE mail = 'sent';
    INSERT INTO cases (customer_id, invoice, subscription, opened_at, grace, closed_at)
    SELECT DISTINCT 1, 'in_' || name, 's', now(), interval '1 day',
           CASE name WHEN 'held' THEN NULL ELSE now() - age END FROM ages;
    INSERT INTO links (digest, customer_id, "case", made_at, made_by)
    SELECT DISTINCT convert_to(name, 'UTF8'), 1, 'in_' || name, now() - interval '500 days', 'm' FROM ages;
    INSERT INTO endpoints (url, secret) VALUES ('https://app.acme.example/', 'whsec_test');
    INSERT INTO outgoing (message, customer_id, sequence, type, body, created_at)
    SELECT name, 1, row_number() OVER (), 'case.opened', '{}', clock_timestamp() - age
    FROM ages WHERE delivery IS NOT NULL;
    INSERT INTO deliveries (event_id, endpoint_id, status)
    SELECT outgoing.id, endpoints.id, delivery
    FROM endpoints, outgoing JOIN ages ON name = message WHERE delivery IS NOT NULL;
    INSERT INTO api_keys (digest, label, scopes) VALUES ('d', 'l', '{}');
    INSERT INTO api_requests (key_id, name, fingerprint, status, answer, made_at)
    SELECT api_keys.id, asked.name, 'f', 200, 'a', clock_timestamp() - age
    FROM api_keys,
         (VALUES ('old', interval '3 days 1 minute'), ('young', interval '2 days 23:59')) asked (name, age)
"""


async def _made(connection: AsyncConnection) -> None:
    assert await customer_row(connection) == 1
    for statement in ROWS.split(";"):
        await connection.exec_driver_sql(statement)


LEFT: Mapping[str, str] = {
    "payloads": "SELECT event_id FROM inbox WHERE payload IS NOT NULL",
    "mails": "SELECT step FROM outbox WHERE rendered IS NOT NULL",
    "words": "SELECT step FROM outbox WHERE last_error LIKE '%ada%'",
    "results": "SELECT step FROM mail_results JOIN outbox ON outbox_id = outbox.id WHERE details IS NOT NULL",
    "links": "SELECT convert_from(digest, 'UTF8') FROM links",
    "outgoing": "SELECT message FROM outgoing",
    "answers": "SELECT name FROM api_requests",
}


async def _left(connection: AsyncConnection) -> dict[str, set[str]]:
    return {name: set((await connection.execute(text(query))).scalars()) for name, query in LEFT.items()}


def test_what_is_past_its_time_is_removed_and_nothing_else(database: Database) -> None:
    """Neither what has a minute left, nor what waits, was given up, or is of a case that is open."""

    async def story(connection: AsyncConnection) -> dict[str, set[str]]:
        await _made(connection)
        await retention.prune(connection, KEEP)
        return await _left(connection)

    mails = {"young_sent", "young_failed", "held_pending", "held_sending"}
    assert database.commit(story) == {
        "payloads": {"young_done", "young_discarded", "held_pending", "held_dead"},
        "mails": mails,
        "words": mails,
        "results": {"young_sent"},
        "links": {"young", "held"},
        "outgoing": {"young", "held"},
        "answers": {"young"},
    }


ARRIVED = """
    INSERT INTO inbox (source, event_id, type, livemode, status, received_at, payload)
    SELECT 'stripe', 'evt_' || name, 'invoice.paid', false, status, clock_timestamp() - age, NULL
    FROM (VALUES ('waits', 'pending', interval '90 days'), ('old', 'done', '61 days'),
                 ('given_up', 'dead', '61 days'), ('strange', 'ignored', '60 days 1 minute'),
                 ('young', 'done', '59 days 23:59')) rows (name, status, age)
"""


def test_events_go_altogether_in_the_end(database: Database) -> None:
    """The oldest first, some at a time, past those that wait or were given up; none is overdue then."""

    async def story(connection: AsyncConnection) -> tuple[Any, ...]:
        await connection.exec_driver_sql(ARRIVED)
        late = await retention.overdue(connection, KEEP)
        taken = [(await retention.prune(connection, KEEP, batch=1))["events"] for _ in range(3)]
        left = set((await connection.execute(text("SELECT event_id FROM inbox"))).scalars())
        return late, taken, left, await retention.overdue(connection, KEEP)

    late, taken, left, at_last = database.commit(story)
    assert timedelta(hours=23) < late < timedelta(hours=25)
    assert taken == [1, 1, 0]
    assert left == {"evt_waits", "evt_given_up", "evt_young"}
    assert at_last is None


def test_an_event_that_somebody_holds_is_left_for_the_next_time(database: Database) -> None:
    """Two schedulers share the work: neither waits for the other."""

    async def story(engine: AsyncEngine) -> tuple[int, int]:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(ARRIVED)
        async with engine.begin() as first, engine.begin() as second:
            await second.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
            taken = [(await retention.prune(each, KEEP, batch=1))["events"] for each in (first, second)]
        return taken[0], taken[1]

    assert database.play(story) == (1, 0)


def test_tables_that_grow_are_cleaned_up_in_small_steps(database: Database) -> None:
    """By itself PostgreSQL would wait until a fifth of a large table is of no use."""

    async def story(connection: AsyncConnection) -> dict[str, list[str]]:
        query = """
            SELECT pg_class.relname, pg_class.reloptions || coalesce(beside.reloptions, '{}') AS options
            FROM pg_class LEFT JOIN pg_class beside ON beside.oid = pg_class.reltoastrelid
            WHERE pg_class.relname IN ('inbox', 'outbox')
        """
        return {row.relname: row.options for row in await connection.execute(text(query))}

    vacuumed, analyzed = "autovacuum_vacuum_scale_factor=0.02", "autovacuum_analyze_scale_factor=0.02"
    assert database.commit(story) == {
        "inbox": [vacuumed, analyzed, vacuumed],
        "outbox": [vacuumed, analyzed],
    }


def test_rows_stay_without_their_content(database: Database) -> None:
    """That a mail was sent to an address, and why one was refused, is history."""

    async def story(connection: AsyncConnection) -> Any:
        await _made(connection)
        before = (await connection.execute(text("SELECT count(*) FROM outbox"))).scalar_one()
        await retention.prune(connection, KEEP)
        kept = text("SELECT count(*) OVER (), step, recipient, status, last_error FROM outbox ORDER BY step")
        row = (await connection.execute(kept)).all()[2]
        return before, *row

    assert database.commit(story) == (
        6, 6, "old_failed", "ada@customer.example", "failed", "refused with 550",
    )  # fmt: skip


def test_a_batch_is_small_and_the_next_goes_on(database: Database) -> None:
    """However PostgreSQL plans to read it; in the end nothing is overdue, and nothing is taken any more."""

    async def story(connection: AsyncConnection) -> tuple[Any, ...]:
        await _made(connection)
        for statement in NESTED_LOOPS.split(";"):
            if statement.strip():
                await connection.exec_driver_sql(statement)
        late = await retention.overdue(connection, KEEP)
        taken = [await retention.prune(connection, KEEP, batch=1) for _ in range(3)]
        return late, taken, await retention.overdue(connection, KEEP)

    late, taken, at_last = database.commit(story)
    assert timedelta(seconds=59) < late < timedelta(minutes=2)
    assert at_last is None
    assert [each["payloads"] for each in taken] == [1, 1, 0]
    assert [each["mails"] for each in taken] == [1, 1, 0]
    assert all(set(each.values()) <= {0, 1} for each in taken)


@pytest.mark.parametrize(
    ("query", "index", "entered_at"),
    [
        (retention._EVENTS.text, "inbox_pkey", ""),
        (retention._PAYLOADS.text, "inbox_payloads", "due_at"),
        (retention._MAILS.text, "outbox_rendered", "due_at"),
        (retention._MAIL_RESULTS.text, "mail_results_details", "recorded_at"),
        (retention._LINKS.text, "links_made", "made_at"),
        (retention._OUTGOING.text, "outgoing_created", "created_at"),
        (retention._ANSWERS.text, "api_requests_made", "made_at"),
        (retention._OLDEST.text, "inbox_payloads", ""),
    ],
)
def test_nothing_due_costs_nothing(database: Database, query: str, index: str, entered_at: str) -> None:
    """An index holds only what is still to be removed, and is read no further than to what is too young."""

    async def plan(connection: AsyncConnection) -> str:
        await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        await connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        # Of tables with a few rows, or none, it would as soon sort all of them.
        await connection.exec_driver_sql("SET LOCAL enable_sort = off")
        wanted = {"keep": DAYS, "batch": 500, "events": DAYS, "payloads": DAYS, "mails": DAYS}
        asked = {name: value for name, value in wanted.items() if f":{name}" in query}
        rows = await connection.execute(text(f"EXPLAIN {query}"), asked)
        return "\n".join(rows.scalars())

    found = database.commit(plan)
    assert f" {index} " in found
    assert not entered_at or f"Index Cond: ({entered_at} <" in found.replace("links.", "")
