"""What a client of Redis makes of servers that are silent, full, demoted or watched by Sentinels."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import redis
from redis.sentinel import SentinelConnectionPool

from sandbox.valkey import ValkeyServer
from tests.webhooks.process import frozen
from worker.broker import QueueNudge, create_broker
from worker.queues import ENOUGH_WAITING, EVENTS
from worker.redis_client import FullError, Primary, open_redis


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """As our processes have it, but less patient."""
    with open_redis(redis_url, limit=0.2) as client:
        yield client


def test_silence_is_a_lost_connection(client: redis.Redis, valkey_server: ValkeyServer) -> None:
    """Dramatiq gives an acknowledgement up for good when it hears of a time-out."""
    with frozen(valkey_server.pid), pytest.raises(redis.ConnectionError):
        client.ping()
    assert client.ping()


def test_a_full_server_is_told_from_one_that_is_gone(client: redis.Redis) -> None:
    """The scheduler makes room in it."""
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(FullError):
            client.set("key", "value")
    finally:
        client.config_set("maxmemory", "0")


def test_a_replica_is_left_at_once(client: redis.Redis) -> None:
    """Its connections are closed, so that the next one looks for the primary anew."""
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    before = client.client_id()
    try:
        with pytest.raises(redis.ConnectionError):
            client.set("key", "value")
        assert client.client_id() != before
    finally:
        client.execute_command("REPLICAOF", "NO", "ONE")


def test_a_replica_does_not_tell_how_much_waits(redis_url: str, client: redis.Redis) -> None:
    """It would tell what waited when it became one, and whoever sends nothing to a full queue would stay."""
    nudge = QueueNudge(create_broker(redis_url))
    for number in range(ENOUGH_WAITING):
        assert nudge.send(EVENTS, [number])
    assert asyncio.run(nudge.full()) == {EVENTS}
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        assert not asyncio.run(nudge.full())
    finally:
        client.execute_command("REPLICAOF", "NO", "ONE")
    assert asyncio.run(nudge.full()) == {EVENTS}


def test_sentinels_with_every_part_of_their_url() -> None:
    """The login before the hosts is the servers' own; the Sentinels' stands in the query."""
    url = "rediss+sentinel://me:p%40ss@one,[::1]:26380/dunning/3?sentinel_username=s&sentinel_password=t"
    client = open_redis(url, limit=0.7)
    assert isinstance(client, Primary)
    pool = client.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    data = pool.connection_kwargs
    assert (data["username"], data["password"], data["db"], data["socket_timeout"]) == ("me", "p@ss", 3, 0.7)
    watching = [sentinel.connection_pool.connection_kwargs for sentinel in pool.sentinel_manager.sentinels]
    assert [(each["host"], each["port"]) for each in watching] == [("one", 26379), ("::1", 26380)]
    assert {(each["username"], each["password"], each["socket_timeout"]) for each in watching} == {
        ("s", "t", 0.7)
    }
    assert pool.connection_class.__name__ == "SentinelManagedSSLConnection"


def test_no_sentinel_is_a_lost_connection() -> None:
    """Whoever waits for Redis waits for them as well, and not for long."""
    client = open_redis("redis+sentinel://127.0.0.1:1,127.0.0.1:2/dunning", limit=0.2)
    with pytest.raises(redis.ConnectionError):
        client.ping()
