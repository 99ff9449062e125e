"""A client of RabbitMQ, its URL, and servers that are away or silent: `./run rabbitmq` asks a real one."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from console.doctor import rabbitmq, redis
from console.doctor.finding import Level
from tests.console.doctor.looking import found, said
from tests.webhooks.process import wait_until
from webhooks.log import Log
from webhooks.nudge import Nudger
from worker.broker import QueueNudge, create_broker
from worker.lengths import lengths
from worker.queues import EVENTS
from worker.rabbit import HEARTBEAT, Publisher, RabbitError, SilentError, places

LIMIT = 0.2
AWAY = "amqp://127.0.0.1:1/"


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"amqp://127.0.0.1:{listener.getsockname()[1]}/"


def test_every_node_and_login_is_read() -> None:
    """Percent-encoded where need be; several nodes of one URL, and several URLs."""
    url = "amqp://me:p%40ss@one,[::1]:5673/a%2Fb; amqps://two"
    one, other, two = places(url, limit=0.7)
    assert [(each.host, each.port) for each in (one, other, two)] == [
        ("one", 5672),
        ("::1", 5673),
        ("two", 5671),
    ]
    assert [each.virtual_host for each in (one, other, two)] == ["a/b", "a/b", "/"]
    assert (one.credentials.username, one.credentials.password) == ("me", "p@ss")
    assert (two.credentials.username, one.ssl_options) == ("guest", None)
    assert two.ssl_options.context.check_hostname
    assert (one.heartbeat, one.socket_timeout, one.stack_timeout) == (HEARTBEAT, 0.7, 0.7)
    assert "p@ss" not in repr(one)


def test_one_that_says_nothing_is_given_up_in_time(silent: str) -> None:
    """Whoever sends waits for it once, and is refused at once as long as the answer is overdue."""
    publisher = Publisher(silent, limit=LIMIT)
    publisher._places = lambda: places(silent, limit=5.0)
    for longest in (LIMIT + 0.5, 0.1):
        began = time.monotonic()
        with pytest.raises(SilentError):
            publisher.publish(EVENTS.queue, b"lost")
        assert time.monotonic() - began < longest
    publisher.close()


def test_one_that_is_away_costs_nudges_and_no_more() -> None:
    """Nobody hears of it but the log, the metrics and whoever asks for lengths."""
    broker = create_broker(AWAY)
    nudge = QueueNudge(broker)
    assert not nudge.send(EVENTS, [1])
    assert nudge._full() == frozenset()
    broker.close()
    assert lengths(AWAY) is None
    nudger = Nudger(AWAY, Log("json", "error"))
    nudger.start()
    nudger.push(1)
    wait_until(lambda: nudger.dropped == 1, "the drop")
    nudger.close()
    assert nudger.state == "down"


def test_a_missing_certificate_is_told_by_its_name() -> None:
    """Each time: the next attempt begins anew."""
    publisher = Publisher("amqps://127.0.0.1:1/?cacertfile=/nowhere.pem", limit=LIMIT)
    for _ in range(2):
        with pytest.raises(RabbitError) as caught:
            publisher.ping()
        assert isinstance(caught.value.__cause__, FileNotFoundError)
    publisher.close()


def test_the_doctor_looks_at_the_broker_that_is_used() -> None:
    """RabbitMQ where one is named; a Redis beside it is not looked at."""
    (away,) = found(rabbitmq.look, BROKER_URL=AWAY)
    assert (away.level, "cannot be used" in away.said) == (Level.FAULT, True)
    assert found(rabbitmq.look) == []
    assert said(found(redis.look, BROKER_URL=AWAY), Level.NOTE) == ["is not used"]
