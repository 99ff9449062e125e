"""The migrations and the tables that statements are written against are the same thing."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from db import breaker, migrate, models
from dunning.breaker import Failures
from sandbox.postgres import PostgresServer
from tests.db.conftest import Database


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


def test_charges_of_before_are_no_surge(postgres_server: PostgresServer) -> None:
    """A database full of old charges is migrated: none of them was heard of in this week."""
    url = postgres_server.create_database("full")
    counted = [Failures(hour=1)]

    def step(connection: Connection, revision: str) -> None:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async def story() -> None:
        engine = create_async_engine(url, poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.run_sync(step, "0002")
            await connection.execute(text("INSERT INTO customers (source, ref) VALUES ('stripe', 'cus_1')"))
            old = "SELECT id, 'ch_1', 'in_1', clock_timestamp() FROM customers"
            await connection.execute(text(f"INSERT INTO charges (customer_id, ref, invoice, at) {old}"))
            await connection.run_sync(step, "head")
            counted[0] = await breaker.failures(connection)
        await engine.dispose()

    asyncio.run(story())
    assert counted == [Failures()]
    postgres_server.drop_database("full")


def test_every_moment_has_a_time_zone(database: Database) -> None:
    """No column holds a naive time (class 22)."""

    async def naive(connection: AsyncConnection) -> list[str]:
        wanted = "data_type = 'timestamp without time zone' AND table_schema = 'public'"
        query = text(f"SELECT column_name FROM information_schema.columns WHERE {wanted}")  # noqa: S608  # no input
        return [row.column_name for row in await connection.execute(query)]

    assert database.commit(naive) == []
