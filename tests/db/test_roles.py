"""What no process may do. Tests of the API, the page and the receiver run with their rights throughout."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest

from db import models, roles
from db.migrate import upgrade
from sandbox.postgres import PostgresServer
from settings.urls import for_asyncpg
from tests.roles import as_role, make_roles

# What a process that was taken over would be asked for first.
REFUSED = {
    "receiver": [
        "SELECT payload FROM inbox",
        "UPDATE inbox SET status = 'pending'",
        "DELETE FROM inbox",
        "SELECT email FROM customers",
        "SELECT digest FROM api_keys",
    ],
    "worker": [
        "SELECT digest FROM api_keys",
        "INSERT INTO api_keys (digest, label, scopes) VALUES ('x', 'x', '{}')",
        "UPDATE journal SET reason = 'x'",
        "DELETE FROM journal",
        "DELETE FROM customers",
        "UPDATE breaker SET released_at = now()",
    ],
    "scheduler": [
        "SELECT email FROM customers",
        "SELECT metadata FROM customers",
        "SELECT secret FROM endpoints",
        "SELECT answer FROM api_requests",
        "UPDATE access SET level = 'full'",
        "UPDATE cases SET outcome = 'recovered'",
        "UPDATE outbox SET recipient = 'eve@example.com'",
        "INSERT INTO journal (customer_id, at, kind) VALUES (1, now(), 'x')",
    ],
    "api": [
        "UPDATE invoices SET paid_at = now()",
        "UPDATE customers SET email = 'eve@example.com'",
        "INSERT INTO charges (customer_id, ref, invoice, at) VALUES (1, 'x', 'x', now())",
        "INSERT INTO api_keys (digest, label, scopes) VALUES ('x', 'x', '{}')",
        "UPDATE api_keys SET scopes = '{access}'",
        "SELECT payload FROM inbox",
        "UPDATE outbox SET recipient = 'eve@example.com'",
        "DELETE FROM journal",
    ],
    "portal": [
        "SELECT digest FROM api_keys",
        "SELECT secret FROM endpoints",
        "SELECT body FROM outgoing",
        "SELECT payload FROM inbox",
        "DELETE FROM links",
        "UPDATE breaker SET released_at = now()",
        "DELETE FROM journal",
    ],
    "operator": ["DROP TABLE customers", "CREATE TABLE mine (id int)"],
}


@pytest.mark.parametrize("process", REFUSED)
def test_whoever_takes_a_process_over_is_refused_the_rest(database_url: str, process: str) -> None:
    """Each by PostgreSQL itself."""

    async def tried() -> list[str]:
        connection = await asyncpg.connect(for_asyncpg(as_role(database_url, process)))
        allowed = []
        try:
            for statement in REFUSED[process]:
                try:
                    await connection.execute(statement)
                    allowed.append(statement)
                except asyncpg.InsufficientPrivilegeError:
                    continue
        finally:
            await connection.close()
        return allowed

    assert asyncio.run(tried()) == []


def test_every_table_is_some_process_own() -> None:
    """A new one is thought of here, and no right is given to what does not exist."""
    named = {table for process, rights in roles.RIGHTS.items() if process != "operator" for table in rights}
    assert named == {*models.metadata.tables}
    assert roles.RIGHTS.keys() == roles.ABOUT.keys()


@pytest.fixture
def old(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of the version before, whose roles were made then."""
    url = postgres_server.create_database("of_before")
    upgrade(url, "0013")
    yield url
    postgres_server.drop_database("of_before")


def test_a_migration_gives_the_roles_what_is_new(old: str, migrated_template: str) -> None:
    """And takes away what they had and need no more."""

    async def ask(statement: str) -> object:
        connection = await asyncpg.connect(for_asyncpg(old))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    may = "SELECT has_column_privilege('dunning_api', 'inbox', 'payload', 'SELECT')"
    asyncio.run(ask("GRANT SELECT ON inbox TO dunning_api"))
    assert asyncio.run(ask(may))
    assert not asyncio.run(ask("SELECT has_table_privilege('dunning_worker', 'outbox', 'UPDATE')"))
    upgrade(old)
    assert not asyncio.run(ask(may))
    assert asyncio.run(ask("SELECT has_table_privilege('dunning_worker', 'outbox', 'UPDATE')"))
    make_roles(old)
