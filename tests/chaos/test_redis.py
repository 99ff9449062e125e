"""Redis frozen, emptied, restarted, full, demoted and with its replies cut: only time is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from sandbox.postgres import PostgresServer
from sandbox.valkey import ValkeyServer, embedded_valkey
from tests.chaos.conftest import Tell
from tests.chaos.house import PATIENCE, House, house, nothing_is_lost_or_doubled, p99, statuses
from tests.chaos.proxy import Proxy, proxy_to
from tests.webhooks.process import frozen, wait_until
from worker.broker import QueueNudge, create_broker
from worker.queues import ENOUGH_WAITING, EVENTS, NAMESPACE

# Of our own; the rest of the memory is the server's.
FILLING = 3_000


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    """A Valkey of this module's own, since it is treated badly."""
    with embedded_valkey() as server:
        yield server


@pytest.fixture(scope="module")
def proxy(valkey: ValkeyServer) -> Iterator[Proxy]:
    """What our processes take for Redis."""
    with proxy_to(Path(valkey.url.removeprefix("unix://"))) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def town(
    postgres_server: PostgresServer,
    migrated_template: str,
    proxy: Proxy,
    tmp_path_factory: pytest.TempPathFactory,
    long: bool,
) -> Iterator[House]:
    """Our processes, all of which reach Redis through the proxy."""
    url = postgres_server.create_database("chaos_redis", template=migrated_template)
    with house(url, proxy.url, tmp_path_factory.mktemp("redis"), hurry=not long) as town:
        yield town
    postgres_server.drop_database("chaos_redis")


@pytest.fixture
def client(valkey: ValkeyServer) -> Iterator[redis.Redis]:
    """Past the proxy."""
    with redis.Redis.from_url(valkey.url) as client:
        yield client


def test_frozen(town: House, valkey: ValkeyServer, tell: Tell, long: bool) -> None:
    """While Redis says nothing every event is answered 200, as soon as ever."""
    seconds = 6.0 if long else 2.5
    with frozen(valkey.pid):
        answers = town.deliver(int(20 * seconds), pace=0.05)
    figures = town.settle()
    tell("F3", faults=1, frozen_seconds=seconds, ack_p99_ms=p99(answers), **figures)
    assert statuses(answers) == {200}
    assert p99(answers) <= (100 if long else 500)
    nothing_is_lost_or_doubled(figures)


def test_emptied(town: House, client: redis.Redis, tell: Tell, long: bool) -> None:
    """With every wake-up thrown away in the middle of the work, what they were for is done all the same."""
    rounds = 20 if long else 4
    for _ in range(rounds):
        town.deliver_at_once(20)
        client.flushall()
    figures = town.settle()
    tell("redis emptied", faults=rounds, **figures)
    assert statuses(town.answers) == {200}
    nothing_is_lost_or_doubled(figures)


def test_restarted(town: House, valkey: ValkeyServer, tell: Tell, long: bool) -> None:
    """Stopped and started on its file, with events coming meanwhile."""
    rounds = 5 if long else 1
    answers = []
    for _ in range(rounds):
        answers += town.deliver_at_once(20)
        valkey.stop()
        answers += town.deliver(20)
        valkey.start()
    figures = town.settle()
    tell("redis restarted", faults=rounds, **figures)
    assert statuses(answers) == {200}
    nothing_is_lost_or_doubled(figures)


def test_full(town: House, client: redis.Redis, tell: Tell) -> None:
    """A full Redis refuses wake-ups and even that one is taken; all is done once it has memory again."""
    client.config_set("maxmemory", "1")
    try:
        answers = town.deliver_at_once(40)
        town.hurry()
        wait_until(lambda: town.said("scheduler", "nudge.lost"), "a wake-up to be refused")
    finally:
        client.config_set("maxmemory", "0")
    figures = town.settle()
    tell("redis full", faults=1, **figures)
    assert statuses(answers) == {200}
    nothing_is_lost_or_doubled(figures)


def test_full_of_our_own_wake_ups(town: House, client: redis.Redis, tell: Tell) -> None:
    """Where nobody gives it more memory, the scheduler makes room, and work goes on by itself."""
    key = f"{NAMESPACE}:{EVENTS.queue}"
    empty = client.info("memory")["used_memory"]
    client.hset(f"{key}.msgs", mapping={str(number): "x" * 1000 for number in range(FILLING)})
    client.config_set("maxmemory", empty + 600_000)
    began = time.monotonic()
    try:
        answers = town.deliver_at_once(40)
        figures = town.settle()
    finally:
        client.config_set("maxmemory", "0")
    tell("redis full of wake-ups", faults=1, seconds=round(time.monotonic() - began, 1), **figures)
    assert statuses(answers) == {200}
    assert town.said("scheduler", "queues.emptied")
    nothing_is_lost_or_doubled(figures)


def test_replies_cut(town: House, proxy: Proxy, tell: Tell, long: bool) -> None:
    """Of 600 messages, one for each row, 5 % of all commands end without a word, though they were done."""
    rows = town.store(600 if long else 120)
    nudge, cut_before = QueueNudge(create_broker(proxy.url)), proxy.cuts
    proxy.share = 0.05
    try:
        unsure = sum(not nudge.send(EVENTS, [row]) for row in rows)
        # Whoever takes messages is cut off some sixty times, and waits for three seconds each time.
        figures = town.settle(300 if long else PATIENCE)
    finally:
        proxy.share = 0.0
    tell("F7", faults=proxy.cuts - cut_before, messages=len(rows), unsure_whether_sent=unsure, **figures)
    assert unsure
    nothing_is_lost_or_doubled(figures)


def test_demoted_behind_its_address(
    town: House, valkey: ValkeyServer, proxy: Proxy, client: redis.Redis, tell: Tell
) -> None:
    """The address leads elsewhere and the old server is a replica: nobody goes on talking to it.

    Even though as much waits there as a queue may hold, and the scheduler sends nothing to one that is full.
    """
    before, [row] = proxy.upstream, town.store(1)
    nudge = QueueNudge(create_broker(valkey.url))
    with embedded_valkey() as other:
        with frozen(town.running["worker"].pid):
            for _ in range(10 * ENOUGH_WAITING):
                nudge.send(EVENTS, [row])
            client.execute_command("REPLICAOF", "127.0.0.1", "1")
        try:
            proxy.upstream = Path(other.url.removeprefix("unix://"))
            answers = town.deliver_at_once(20)
            figures = town.settle()
            with redis.Redis.from_url(other.url) as there:
                wait_until(lambda: there.zcard(f"{NAMESPACE}:__heartbeats__"), "somebody to come there")
        finally:
            client.execute_command("REPLICAOF", "NO", "ONE")
            proxy.upstream = before
    tell("redis demoted", faults=1, **figures)
    assert statuses(answers) == {200}
    nothing_is_lost_or_doubled(figures)
