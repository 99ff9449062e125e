"""The receiver while its servers are slow, frozen, gone or killed, and when it is killed itself."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import httpx
import pytest

from sandbox.postgres import PostgresServer
from sandbox.valkey import ValkeyServer
from tests.webhooks.conftest import Query, StartReceiver
from tests.webhooks.process import DEADLINE, ReceiverProcess, wait_until
from tests.webhooks.stripe_calls import event, signed
from webhooks.config import ReceiverConfig

PROMISE = 2.0  # seconds within which a provider hears 503 when the database does not answer
SLACK = 1.0  # seconds for a busy machine


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """The processes are stopped while the block runs: connections stay open and nothing answers."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def deliver(receiver: ReceiverProcess, event_id: str) -> int:
    """Post one genuine event; the status of the answer."""
    body = event(event_id)
    return receiver.post(body, signed(body)).status_code


def deliver_in_time(receiver: ReceiverProcess, event_id: str) -> int:
    """As `deliver`, and the answer keeps the promise of two seconds."""
    started = time.monotonic()
    status = deliver(receiver, event_id)
    assert time.monotonic() - started < PROMISE + SLACK
    return status


def event_ids(query: Query) -> set[str]:
    """What is in the inbox."""
    return {row["event_id"] for row in query("SELECT event_id FROM inbox")}


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
        assert {deliver(receiver, f"evt_{number}") for number in range(50)} == {200}
        wait_until(lambda: receiver.state()["redis"] == "down", "the breaker to open")
        assert deliver(receiver, "evt_open") == 200
        assert is_up(receiver)
    assert len(event_ids(query)) == 51

    def comes_back() -> bool:
        assert deliver(receiver, f"evt_after_{time.monotonic_ns()}") == 200
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
        assert {deliver(receiver, f"evt_{number}") for number in range(20)} == {200}
        wait_until(lambda: receiver.figures()["nudges_dropped"] == 20, "the nudges to be dropped")
        assert receiver.state()["redis"] == "down"
    finally:
        valkey_server.start()

    def nudged() -> bool:
        assert deliver(receiver, f"evt_after_{time.monotonic_ns()}") == 200
        return bool(receiver.figures()["nudges_sent"])

    wait_until(nudged, "a nudge")
    assert len(event_ids(query)) > 20


def test_postgres_stopped_and_started(
    start_receiver: StartReceiver, config: ReceiverConfig, postgres_server: PostgresServer, query: Query
) -> None:
    """With PostgreSQL down: alive, not ready, 503 in time; and back without a restart of the receiver."""
    receiver = start_receiver(config)
    assert deliver(receiver, "evt_before") == 200
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
    assert deliver(receiver, "evt_after") == 200
    assert is_up(receiver)
    assert {"evt_before", "evt_after"} <= event_ids(query)
    assert receiver.figures()["unavailable"] == {"timeout": 21}


def test_a_short_restart_of_postgres_costs_nothing(
    receiver: ReceiverProcess, postgres_server: PostgresServer, query: Query
) -> None:
    """The receiver's connection is ended between two events: the second one opens another, and is 200."""
    assert deliver(receiver, "evt_1") == 200
    ended = query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dunning-receiver'"
    )
    assert ended
    assert deliver(receiver, "evt_2") == 200
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
    assert deliver(receiver, "evt_1") == 200
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
    assert deliver(receiver, "evt_before") == 200
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
    assert deliver(receiver, "evt_after") == 200
    assert {"evt_before", "evt_after"} <= event_ids(query)


def test_a_connection_that_never_answers(receiver: ReceiverProcess, query: Query) -> None:
    """When the server process behind the connection freezes: 503 in time, then another connection is used."""
    assert deliver(receiver, "evt_1") == 200
    pids = query("SELECT pid FROM pg_stat_activity WHERE application_name = 'dunning-receiver'")
    with frozen(*(row["pid"] for row in pids)):
        assert deliver_in_time(receiver, "evt_2") == 503
        assert deliver_in_time(receiver, "evt_3") == 200
    # The insert of evt_2 reached the frozen process: stored or not, a second delivery puts it right.
    assert deliver(receiver, "evt_2") == 200
    assert event_ids(query) == {"evt_1", "evt_2", "evt_3"}
    assert receiver.said("webhook.failed") == receiver.said("store.failed") == []


def burst(receiver: ReceiverProcess, send: signal.Signals) -> tuple[set[str], int]:
    """Deliver 600 events at once and signal the receiver midway.

    Returns the ids of the events that were answered 200, and the number of those that got no answer.
    """
    acknowledged: list[str] = []
    unanswered: list[str] = []

    def one(event_id: str) -> None:
        try:
            if deliver(receiver, event_id) == 200:
                acknowledged.append(event_id)
        except httpx.TransportError:
            unanswered.append(event_id)
        if event_id == "evt_200":
            receiver.popen.send_signal(send)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(one, [f"evt_{number}" for number in range(600)]))
    return set(acknowledged), len(unanswered)


def test_killed_in_a_burst(receiver: ReceiverProcess, query: Query) -> None:
    """kill -9 amid a burst: every event that was answered 200 has its row."""
    acknowledged, unanswered = burst(receiver, signal.SIGKILL)
    assert receiver.wait() == -signal.SIGKILL
    assert unanswered
    assert acknowledged
    assert acknowledged <= event_ids(query)


def test_stopped_in_a_burst(receiver: ReceiverProcess, query: Query) -> None:
    """SIGTERM amid a burst: what was taken in is finished and stored, and the exit code is 0."""
    acknowledged, _ = burst(receiver, signal.SIGTERM)
    assert receiver.wait() == 0
    (stopped,) = receiver.said("receiver.stopped")
    assert stopped["accepted"] == len(event_ids(query))
    assert acknowledged
    assert acknowledged <= event_ids(query)
    assert stopped["unavailable"] == {}


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_wait(receiver: ReceiverProcess, first: signal.Signals) -> None:
    """A request that hangs holds up a clean stop, but not a second signal."""
    with socket.create_connection(("127.0.0.1", receiver.port)) as hanging:
        hanging.sendall(b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        assert receiver.client.get("/healthz").status_code == 200
        receiver.popen.send_signal(first)
        wait_until(lambda: receiver.said("receiver.stopping"), "the stop to begin")
        assert receiver.popen.poll() is None
        receiver.popen.send_signal(signal.SIGTERM)
        assert receiver.wait() == 1
