"""The migrations and the tables that statements are written against are the same thing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, alarms, breaker, migrate, models
from db.accounts import Loaded
from db.alarms import Alarm
from db.sweep import sweep
from dunning.breaker import Failures, Revocations
from dunning.policy import Policy
from sandbox.postgres import PostgresServer
from tests.db.conftest import Database, database_at

T = TypeVar("T")


def is_a_look_at_the_clock(difference: Any) -> bool:
    """Alembic asks the database whether two defaults are equal; two looks at the clock seldom are."""
    if not isinstance(difference, list) or difference[0][0] != "modify_default":
        return False
    return all("clock_timestamp() + " in str(default.arg) for default in difference[0][-2:])


def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    """Types and server defaults included: alembic finds nothing left to do."""

    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        found = compare_metadata(context, models.metadata)
        return [each for each in found if not is_a_look_at_the_clock(each)]

    async def compare(connection: AsyncConnection) -> list[Any]:
        return await connection.run_sync(differences)

    assert database.commit(compare) == []


def test_a_new_database_has_everything_pending_and_then_nothing(postgres_server: PostgresServer) -> None:
    """Which is what `dunning status` and the start of every process ask."""
    url = postgres_server.create_database("pending")
    assert asyncio.run(migrate.pending(url))
    migrate.upgrade(url)
    assert asyncio.run(migrate.pending(url)) == []
    migrate.upgrade(url)
    postgres_server.drop_database("pending")


def test_two_migrations_at_once_wait_for_each_other(postgres_server: PostgresServer) -> None:
    """Several containers start together."""
    url = postgres_server.create_database("at_once")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, [url] * 4))
    assert asyncio.run(migrate.pending(url)) == []
    postgres_server.drop_database("at_once")


# A running case of the version before: its policy has a rule that is gone, and lacks those that came.
ROWS_OF_0002 = (
    "INSERT INTO customers (source, ref, email) VALUES ('stripe', 'cus_1', 'ada@customer.example')",
    "INSERT INTO customers (source, ref, test_clock) VALUES ('stripe', 'cus_2', 'clock_1')",
    *(
        f"INSERT INTO subscriptions (customer_id, ref, status, interval, period_end) VALUES ({values})"  # noqa: S608
        for values in (
            "1, 'sub_year', 'active', 'year', now() + interval '100 days'",
            "1, 'sub_month', 'active', 'month', now() + interval '10 days'",
            "1, 'sub_over', 'canceled', 'year', now() + interval '100 days'",
            "1, 'sub_1', 'past_due', 'year', now() + interval '300 days'",
            "2, 'sub_clock', 'active', 'year', now() + interval '100 days'",
        )
    ),
    "INSERT INTO invoices (customer_id, ref, status, subscription, currency, amount_remaining, amount_paid,"
    " failed_at, attempt_count, ledger_attempt, action_required, no_method)"
    " VALUES (1, 'in_1', 'open', 'sub_1', 'usd', 1900, 0, now() - interval '3 days', 1, 1, false, false)",
    "INSERT INTO charges (customer_id, ref, invoice, at) VALUES (1, 'ch_1', 'in_1', clock_timestamp())",
    "INSERT INTO cases (customer_id, invoice, subscription, opened_at, grace, policy, due_at)"
    " VALUES (1, 'in_1', 'sub_1', now() - interval '3 days', interval '14 days',"
    ' \'{"key": "0a1b/base", "grace": "P20D", "transient_silence": "PT48H", "mail_gap": "PT24H"}\','
    " now() + interval '8 days')",
    'INSERT INTO outbox (customer_id, "case", step, kind, name, channel, reason, status, created_at)'
    " VALUES (1, 'in_1', 'payment_failed:in_1:attempt:1', 'mail', 'payment_failed', 'mail',"
    " 'charge 1 failed', 'sent', now() - interval '3 days')",
    "INSERT INTO access (customer_id, level, reason, changed_at)"
    " VALUES (1, 'warned', 'payment_failed', now())",
    "INSERT INTO journal (customer_id, at, kind) VALUES (1, now(), 'access.taken')",
)


def from_before(
    server: PostgresServer,
    rows: Sequence[str],
    look: Callable[[AsyncConnection], Awaitable[T]],
    revision: str = "0002",
) -> T:
    """Migrate a database of a version before that has these rows, and look at it."""
    url = server.create_database("before")

    async def insert(connection: AsyncConnection) -> None:
        for row in rows:
            await connection.execute(text(row.replace(":", r"\:")))

    migrate.upgrade(url, revision)
    with database_at(url) as database:
        database.commit(insert)
        migrate.upgrade(url)
        found = database.commit(look)
    server.drop_database("before")
    return found


def test_charges_of_before_are_no_surge(postgres_server: PostgresServer) -> None:
    """A database full of old charges is migrated: none of them was heard of in this week."""
    assert from_before(postgres_server, ROWS_OF_0002, breaker.failures) == Failures()


def test_accounts_of_before_are_loaded_as_they_were(postgres_server: PostgresServer) -> None:
    """With nothing that nobody could know then; a running case is not limited before its end."""

    async def look(connection: AsyncConnection) -> Loaded:
        return (await accounts.load(connection, [1]))[1]

    loaded = from_before(postgres_server, ROWS_OF_0002, look)
    account, case = loaded.account, loaded.account.cases["in_1"]
    assert (account.customer.email, account.customer.payment_method) == ("ada@customer.example", None)
    assert (account.methods, account.instructions) == ({}, ())
    assert {each.amount for each in account.subscriptions.values()} == {None}
    assert (account.invoices["in_1"].amount_due, account.invoices["in_1"].amount_refunded) == (1900, 0)
    assert (account.invoices["in_1"].processing_since, account.charges["ch_1"].card_country) == (None, None)
    assert (case.taken_from, case.limited_at, case.is_open) == (None, None, True)
    assert case.policy == Policy(
        key="0a1b/base", grace=timedelta(days=20), mail_gap=timedelta(hours=24), limited_after=None
    )
    assert [effect.status for effect in loaded.history.values()] == ["sent"]


def test_annual_plans_of_before_are_looked_at_once(postgres_server: PostgresServer) -> None:
    """Their next event may come after the notice was due; monthly ones have an event within the month."""

    async def look(connection: AsyncConnection) -> list[str]:
        rows = await connection.execute(text("SELECT ref FROM subscriptions WHERE due_at <= now()"))
        assert (await sweep(connection, now=datetime.now(UTC), delay=0.0)).customers == (1,)
        return [row.ref for row in rows]

    assert from_before(postgres_server, ROWS_OF_0002, look) == ["sub_year"]


def test_what_was_taken_before_counts_for_the_caps(postgres_server: PostgresServer) -> None:
    """Once, as it always has."""

    async def look(connection: AsyncConnection) -> Revocations:
        return await breaker.revocations(connection)

    assert from_before(postgres_server, ROWS_OF_0002, look) == Revocations(hour=1, day=1, base=1)


def test_a_call_that_was_due_before_is_made(postgres_server: PostgresServer) -> None:
    """To whoever had not heard of it; what was released before, nobody is called about."""
    rows = (
        "INSERT INTO breaker (reason, released_at) VALUES ('an older surge', now())",
        "INSERT INTO breaker (reason, tripped_by, called) VALUES ('a surge', 'maria', '{chat}')",
    )

    async def look(connection: AsyncConnection) -> Alarm | None:
        [due] = await alarms.due(connection)
        return await alarms.take(connection, due)

    alarm = from_before(postgres_server, rows, look, "0006")
    assert alarm is not None
    assert (alarm.kind, alarm.subject, alarm.called) == ("breaker", 2, ("chat",))
    assert alarm.facts == {"reason": "a surge", "by": "maria"}


def test_every_moment_has_a_time_zone(database: Database) -> None:
    """No column holds a naive time (class 22)."""

    async def naive(connection: AsyncConnection) -> list[str]:
        wanted = "data_type = 'timestamp without time zone' AND table_schema = 'public'"
        query = text(f"SELECT column_name FROM information_schema.columns WHERE {wanted}")  # noqa: S608  # no input
        return [row.column_name for row in await connection.execute(query)]

    assert database.commit(naive) == []
