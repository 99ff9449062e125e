"""Servers of a new version in front of a database that was not migrated yet."""

import asyncio
from collections.abc import Iterator

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest

from db import migrate, schema
from sandbox.postgres import PostgresServer
from settings.urls import for_asyncpg
from tests.console.process import ServedProcess
from tests.settings.examples import ALL


@pytest.fixture(scope="module")
def behind(postgres_server: PostgresServer) -> Iterator[str]:
    """A database that lacks the last migration."""
    url = postgres_server.create_database("servers_behind")
    migrate.upgrade(url, schema.REVISIONS[-2])
    yield url
    postgres_server.drop_database("servers_behind")


async def let_read(url: str, role: str) -> None:
    """A role of an operator who has granted it one table and not the migrations' own."""
    connection = await asyncpg.connect(for_asyncpg(url))
    await connection.execute(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON access TO {role}")
    await connection.close()


@pytest.mark.parametrize("name", ["api", "portal"])
def test_a_server_is_not_ready_before_its_migration(behind: str, redis_url: str, name: str) -> None:
    """A balancer stays with those of the version before, as long as they are there."""
    env = ALL | {"DATABASE_URL": behind, "REDIS_URL": redis_url}
    server = ServedProcess(name, env, {})
    try:
        answer = server.client.get("/readyz")
        assert (answer.status_code, answer.json()["database"]) == (503, "behind")
        assert server.client.get("/healthz").status_code == 200
    finally:
        assert server.stop() == 0


def test_a_role_that_may_not_look_is_no_reason_to_refuse(behind: str) -> None:
    """What it is allowed is enough for it: nothing is known against the schema."""
    asyncio.run(let_read(behind, "narrow"))

    async def check() -> None:
        connection = await asyncpg.connect(for_asyncpg(behind), user="narrow")
        await schema.check(connection)
        await connection.close()

    asyncio.run(check())
