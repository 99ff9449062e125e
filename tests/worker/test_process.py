"""Workers and schedulers as processes: when they begin, and when they end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import dramatiq
import pytest

from db import migrate, schema
from sandbox.postgres import PostgresServer
from sandbox.valkey import ValkeyServer
from serving.watchdog import RESTART
from settings.urls import for_asyncpg
from tests.cli.forking import dunning
from tests.webhooks.process import frozen
from tests.worker.process import process
from worker.broker import create_broker

STOPS_WITHIN = 25.0


def run(url: str, statement: str) -> None:
    """Run a statement on the database."""

    async def execute() -> None:
        connection = await asyncpg.connect(for_asyncpg(url))
        await connection.execute(statement)
        await connection.close()

    asyncio.run(execute())


@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_a_schema_that_is_behind_is_waited_for(
    postgres_server: PostgresServer, redis_url: str, tmp_path: Path, name: str
) -> None:
    """With a line that names the cure. It stops while it waits, too, and begins after the migration."""
    url = postgres_server.create_database(f"behind_{name}")
    migrate.upgrade(url, schema.REVISIONS[-2])
    with process(name, tmp_path, url, redis_url) as waiting:
        said = waiting.until("schema.behind")
        assert (said["database"], said["needed"]) == (schema.REVISIONS[-2], schema.HEAD)
        assert "dunning migrate" in said["cure"]
        assert not waiting.said(f"{name}.started")
        if name == "worker":
            migrate.upgrade(url)
            waiting.until("worker.started")
        assert waiting.stop()[0] == 0
    postgres_server.drop_database(f"behind_{name}")


def test_a_schema_that_is_ahead_is_good_enough(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """An older version goes on working beside a newer one, and has nothing to migrate."""
    run(database_url, "UPDATE alembic_version SET version_num = '9999'")
    try:
        with process("scheduler", tmp_path, database_url, redis_url) as scheduler:
            assert scheduler.until("schema.ahead")["database"] == "9999"
            scheduler.until("scheduler.started")
            assert scheduler.stop()[0] == 0
        for arguments in (["migrate"], ["migrate", "--check"]):
            done = dunning(*arguments, cwd=tmp_path, DATABASE_URL=database_url)
            assert (done.returncode, "newer (9999)" in done.stdout) == (0, True), done.stderr
    finally:
        run(database_url, f"UPDATE alembic_version SET version_num = '{schema.HEAD}'")  # noqa: S608  # our own


def test_a_worker_that_has_grown_ends_to_be_started_again(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """Cleanly, with an exit code of its own."""
    with process("worker", tmp_path, database_url, redis_url, DUNNING_WORKER_MEMORY_MB="1") as worker:
        assert worker.until("worker.too_large")["limit"] == 1
        assert worker.forked.wait(STOPS_WITHIN) == RESTART
        assert worker.said("worker.stopped")


@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_a_frozen_redis_holds_up_no_stop(
    database_url: str, valkey_server: ValkeyServer, redis_url: str, tmp_path: Path, name: str
) -> None:
    """The broker is there and says nothing: whoever is asked to stop ends all the same."""
    with process(name, tmp_path, database_url, redis_url) as stopping:
        stopping.until(f"{name}.started")
        with frozen(valkey_server.pid):
            code, seconds = stopping.stop()
    assert (code, seconds < STOPS_WITHIN) == (0, True), seconds


# As a receiver of the first version with this queue wrote it.
WAKE_UP = (
    b'{"queue_name":"events","actor_name":"apply_events","args":[[1]],"kwargs":{},"options":{},'
    b'"message_id":"0b3cf0b0-9d3a-4c41-9a5e-2f7f1f0c7a11","message_timestamp":1764288000000}'
)


def test_messages_of_other_versions_are_answered_or_dropped(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """One for an actor that nobody knows, or with other arguments, stops nobody; an old one is served."""
    run(
        database_url,
        "INSERT INTO inbox (source, event_id, type, livemode, status, payload, due_at)"
        " VALUES ('stripe', 'evt_1', 'invoice.paid', false, 'pending', 'no JSON', now())",
    )
    broker = create_broker(redis_url)
    old = dramatiq.Message.decode(WAKE_UP)
    broker.enqueue(old.copy(actor_name="apply_tomorrow", message_id="1"))
    broker.enqueue(old.copy(args=({"ids": [1]}, "urgent"), message_id="2"))
    broker.enqueue(old)
    broker.close()
    with process("worker", tmp_path, database_url, redis_url, DUNNING_WORKER_THREADS="1") as worker:
        assert worker.until("event.retired")["event_id"] == "evt_1"
        assert worker.stop()[0] == 0
