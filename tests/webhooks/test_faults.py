"""The receiver while its servers are slow, frozen, gone or not ready yet."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest

from sandbox.postgres import PostgresServer
from sandbox.valkey import ValkeyServer
from tests.webhooks.conftest import Query, StartReceiver, event_ids
from tests.webhooks.process import DEADLINE, ReceiverProcess, frozen, wait_until
from webhooks.config import ReceiverConfig

PROMISE = 2.0  # seconds within which a provider hears 503 when the database does not answer
SLACK = 1.0  # seconds for a busy machine


def deliver_in_time(receiver: ReceiverProcess, event_id: str) -> int:
    """Deliver one genuine event; the status of the answer, which keeps the promise of two seconds."""
    started = time.monotonic()
    status = receiver.deliver(event_id)
    assert time.monotonic() - started < PROMISE + SLACK
    return status


def is_up(receiver: ReceiverProcess) -> bool:
    """Whether it says that it is ready."""
    return receiver.client.get("/readyz").status_code == 200


def test_redis_frozen(
    start_receiver: StartReceiver, config: ReceiverConfig, valkey_server: ValkeyServer, query: Query
) -> None:
    """With Redis frozen every event is stored and answered 200; nudges are dropped, and sent again later."""
    receiver = start_receiver(config)
    wait_until(lambda: receiver.state()["redis"] == "up", "a first contact with Redis")
    with frozen(valkey_server.pid):
        assert {receiver.deliver(f"evt_{number}") for number in range(50)} == {200}
        wait_until(lambda: receiver.state()["redis"] == "down", "the breaker to open")
        assert receiver.deliver("evt_open") == 200
        assert is_up(receiver)
    assert len(event_ids(query)) == 51

    def comes_back() -> bool:
        assert receiver.deliver(f"evt_after_{time.monotonic_ns()}") == 200
        return bool(receiver.state()["redis"] == "up")

    wait_until(comes_back, "nudges after the breaker's second")
    assert receiver.figures()["nudges_dropped"] > 0


def test_redis_gone(
    start_receiver: StartReceiver, config: ReceiverConfig, valkey_server: ValkeyServer, query: Query
) -> None:
    """A receiver that starts without Redis takes events, and nudges once Redis is there."""
    valkey_server.kill()
    try:
        receiver = start_receiver(config)
        assert {receiver.deliver(f"evt_{number}") for number in range(20)} == {200}
        wait_until(lambda: receiver.figures()["nudges_dropped"] == 20, "the nudges to be dropped")
        assert receiver.state()["redis"] == "down"
    finally:
        valkey_server.start()

    def nudged() -> bool:
        assert receiver.deliver(f"evt_after_{time.monotonic_ns()}") == 200
        return bool(receiver.figures()["nudges_sent"])

    wait_until(nudged, "a nudge")
    assert len(event_ids(query)) > 20


def test_postgres_stopped_and_started(
    start_receiver: StartReceiver, config: ReceiverConfig, postgres_server: PostgresServer, query: Query
) -> None:
    """With PostgreSQL down: alive, not ready, 503 in time; and back without a restart of the receiver."""
    receiver = start_receiver(config)
    assert receiver.deliver("evt_before") == 200
    postgres_server.stop()
    try:
        assert deliver_in_time(receiver, "evt_alone") == 503
        with ThreadPoolExecutor(20) as pool:
            assert set(pool.map(lambda n: deliver_in_time(receiver, f"evt_at_once_{n}"), range(20))) == {503}
        assert receiver.client.get("/healthz").status_code == 200
        assert not is_up(receiver)
        assert receiver.state()["database"] == "down"
    finally:
        postgres_server.start()
    assert receiver.deliver("evt_after") == 200
    assert is_up(receiver)
    assert {"evt_before", "evt_after"} <= event_ids(query)
    assert receiver.figures()["unavailable"] == {"timeout": 21}


def test_a_short_restart_of_postgres_costs_nothing(
    receiver: ReceiverProcess, postgres_server: PostgresServer, query: Query
) -> None:
    """The receiver's connection is ended between two events: the second one opens another, and is 200."""
    assert receiver.deliver("evt_1") == 200
    ended = query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dunning-receiver'"
    )
    assert ended
    assert receiver.deliver("evt_2") == 200
    assert event_ids(query) == {"evt_1", "evt_2"}


def test_starting_before_postgres(
    start_receiver: StartReceiver, config: ReceiverConfig, postgres_server: PostgresServer, query: Query
) -> None:
    """A receiver that starts without PostgreSQL listens, says that it is not ready, and needs no restart."""
    postgres_server.stop()
    try:
        receiver = start_receiver(config)
        assert not is_up(receiver)
        assert deliver_in_time(receiver, "evt_early") == 503
    finally:
        postgres_server.start()
    assert receiver.deliver("evt_1") == 200
    wait_until(lambda: receiver.said("database.reachable"), "its log to be read")
    assert [line["event"] for line in receiver.log if line["event"].startswith("database.")] == [
        "database.unreachable",
        "database.reachable",
    ]


def test_migrations_missing(
    start_receiver: StartReceiver, config: ReceiverConfig, postgres_server: PostgresServer
) -> None:
    """A database without our tables is not ready: 503, so that the provider keeps the event."""
    postgres_server.create_database("receiver_empty")
    try:
        receiver = start_receiver(
            replace(config, database_dsn=config.database_dsn.replace("/test_", "/receiver_empty?", 1))
        )
        assert not is_up(receiver)
        assert deliver_in_time(receiver, "evt_1") == 503
        receiver.stop()
    finally:
        postgres_server.drop_database("receiver_empty")


async def lock_inbox(dsn: str, locked: threading.Event, release: threading.Event) -> None:
    """Hold the inbox so that nobody can insert."""
    connection = await asyncpg.connect(dsn)
    async with connection.transaction():
        await connection.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        locked.set()
        release.wait(DEADLINE)
    await connection.close()


@pytest.mark.parametrize("burst", [1, 30])
def test_postgres_slow(receiver: ReceiverProcess, dsn: str, query: Query, burst: int) -> None:
    """An insert that hangs is answered 503 in time, and the next one is taken when the lock is gone."""
    assert receiver.deliver("evt_before") == 200
    locked, release = threading.Event(), threading.Event()
    holder = threading.Thread(target=lambda: asyncio.run(lock_inbox(dsn, locked, release)))
    holder.start()
    try:
        assert locked.wait(DEADLINE)
        with ThreadPoolExecutor(burst) as pool:
            assert set(pool.map(lambda n: deliver_in_time(receiver, f"evt_{n}"), range(burst))) == {503}
    finally:
        release.set()
        holder.join()
    assert receiver.deliver("evt_after") == 200
    assert {"evt_before", "evt_after"} <= event_ids(query)


def test_a_connection_that_never_answers(receiver: ReceiverProcess, query: Query) -> None:
    """When the server process behind the connection freezes: 503 in time, then another connection is used."""
    assert receiver.deliver("evt_1") == 200
    pids = query("SELECT pid FROM pg_stat_activity WHERE application_name = 'dunning-receiver'")
    with frozen(*(row["pid"] for row in pids)):
        assert deliver_in_time(receiver, "evt_2") == 503
        assert deliver_in_time(receiver, "evt_3") == 200
    # The insert of evt_2 reached the frozen process: stored or not, a second delivery puts it right.
    assert receiver.deliver("evt_2") == 200
    assert event_ids(query) == {"evt_1", "evt_2", "evt_3"}
    assert receiver.said("webhook.failed") == receiver.said("store.failed") == []
