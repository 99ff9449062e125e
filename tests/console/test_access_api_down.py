"""The access API while its database is away, frozen, never migrated or not there yet."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import cast

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import httpx
import pytest

from console.app import create_app
from console.keyring import Keyring
from console.store import Store
from sandbox.postgres import PostgresServer
from settings.urls import for_asyncpg
from tests.console.conftest import KEYS, StartApi
from tests.console.process import ApiProcess, wait_until
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

LIMIT = 2.0  # seconds


def is_away(answer: httpx.Response) -> bool:
    """Whether the answer says to come back, and that nobody is to be locked out."""
    return (
        answer.status_code == 503
        and answer.headers["content-type"] == "application/problem+json"
        and answer.headers["cache-control"] == "no-store"
        and int(answer.headers["retry-after"]) > 0
        and answer.json()["code"] == "unavailable"
        and "lock nobody out" in answer.json()["detail"]
    )


@contextmanager
def frozen(database_url: str) -> Iterator[None]:
    """While this lasts, no statement that reads access comes to an end."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(for_asyncpg(database_url)))
        runner.run(connection.execute("BEGIN; LOCK TABLE access IN ACCESS EXCLUSIVE MODE"))
        try:
            yield
        finally:
            runner.run(connection.close())


def test_a_database_that_goes_away_is_503_and_comes_back(
    api: ApiProcess, postgres_server: PostgresServer, migrated_template: str, database_url: str
) -> None:
    """Sessions are ended and the database is gone; once it is there again the same process answers."""
    assert api.access("cus_1").status_code == 404
    name = for_asyncpg(database_url).partition("?")[0].rpartition("/")[2]
    postgres_server.drop_database(name)
    began = time.monotonic()
    assert is_away(api.access("cus_1"))
    assert time.monotonic() - began < LIMIT
    assert api.client.get("/readyz").status_code == 503
    assert api.client.get("/healthz").status_code == 200
    postgres_server.create_database(name, template=migrated_template)
    wait_until(lambda: api.access("cus_1").status_code == 404, "an answer")
    assert api.client.get("/readyz").status_code == 200
    assert [line["event"] for line in api.log if line["event"].startswith("database.")] == [
        "database.unreachable",
        "database.reachable",
    ]


def test_a_frozen_database_is_503_within_two_seconds(api: ApiProcess, database_url: str) -> None:
    """More requests than the pool has connections, all told in time, and all is well when it thaws."""
    assert api.access("cus_1").status_code == 404

    async def ask_many() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            base_url=api.client.base_url, headers=api.client.headers, trust_env=False, timeout=10
        ) as client:
            return await asyncio.gather(*(client.get("/v1/access/cus_1") for _ in range(25)))

    with frozen(database_url):
        began = time.monotonic()
        answers = asyncio.run(ask_many())
        assert time.monotonic() - began < LIMIT + 0.5  # the client's own share of 25 requests
    assert all(is_away(answer) for answer in answers)
    assert max(answer.elapsed.total_seconds() for answer in answers) < LIMIT
    assert api.access("cus_1").status_code == 404


@pytest.mark.parametrize("query", ["host=/nowhere", "host=127.0.0.1&port=1"])
def test_it_starts_without_a_database(start_api: StartApi, query: str) -> None:
    """It listens, is alive but not ready, and says so to whoever asks."""
    api = start_api(f"postgresql://postgres@/postgres?{query}")
    assert is_away(api.access("cus_1"))
    assert api.client.get("/healthz").status_code == 200
    assert api.client.get("/readyz").json() == {"status": "unavailable", "database": "down"}
    assert api.stop() == 0


def test_a_database_without_tables_is_not_ready(start_api: StartApi, postgres_server: PostgresServer) -> None:
    """Until the migrations have run nobody gets an answer, and nobody is told there is no access."""
    api = start_api(postgres_server.create_database("api_empty"))
    try:
        assert is_away(api.access("cus_1"))
        assert api.client.get("/readyz").status_code == 503
    finally:
        postgres_server.drop_database("api_empty")


def test_one_question_is_one_statement(api: ApiProcess, database_url: str) -> None:
    """On one session that is kept: after an answer its last statement is still the question itself."""

    async def look() -> list[tuple[int, str]]:
        connection = await asyncpg.connect(for_asyncpg(database_url))
        try:
            # An earlier API may be about to leave the same database.
            rows = await connection.fetch(
                "SELECT pid, query FROM pg_stat_activity "
                "WHERE application_name = 'dunning-api' AND query_start >= $1",
                began,
            )
            return [(row["pid"], row["query"]) for row in rows]
        finally:
            await connection.close()

    began = asyncio.run(_now(for_asyncpg(database_url)))
    seen = []
    for _ in range(3):
        assert api.access("cus_1").status_code == 404
        seen += asyncio.run(look())
    assert len({pid for pid, _ in seen}) == 1
    assert all(query.lstrip().startswith("SELECT customers.ref") for _, query in seen)


def test_reading_three_tables_is_all_it_needs(start_api: StartApi, database_url: str) -> None:
    """A role that may do nothing else serves it: whoever takes the API over cannot write."""

    def run(statements: str) -> None:
        asyncio.run(_execute(for_asyncpg(database_url), statements))

    run("CREATE ROLE reader LOGIN; GRANT SELECT ON customers, access, test_clocks TO reader")
    try:
        api = start_api(database_url.replace("postgres@", "reader@"))
        assert api.access("cus_1").status_code == 404
        assert api.client.get("/readyz").status_code == 200
        assert api.stop() == 0
    finally:
        run("DROP OWNED BY reader; DROP ROLE reader")


def test_a_fault_of_ours_shows_nothing_of_itself(world: World, database_url: str) -> None:
    """500 as a problem, which again tells nobody that there is no access."""

    def broken() -> datetime:
        raise RuntimeError("the clock has stopped")

    story = subscriber(world)
    store = Store(for_asyncpg(database_url))
    app = create_app(store, Keyring(KEYS), clock=broken)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def ask() -> httpx.Response:
        await store.start()
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                key = {"Authorization": f"Bearer {KEYS[0]}"}
                return await client.get(f"/v1/access/{story.customer.id}", headers=key)
        finally:
            await store.close()

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["code"]) == (500, "fault")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "clock" not in answer.text


async def _execute(dsn: str, statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def _now(dsn: str) -> datetime:
    """What the database's clock says."""
    connection = await asyncpg.connect(dsn)
    try:
        return cast(datetime, await connection.fetchval("SELECT clock_timestamp()"))
    finally:
        await connection.close()
