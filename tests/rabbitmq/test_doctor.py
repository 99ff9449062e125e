"""What the doctor finds about a real RabbitMQ."""

from __future__ import annotations

import pytest

from console.doctor import rabbitmq
from console.doctor.finding import Level
from tests.console.doctor.looking import found, said
from tests.rabbitmq.conftest import every_queue
from tests.rabbitmq.server import RabbitServer
from worker.broker import QueueNudge, create_broker
from worker.queues import EVENTS


def test_one_that_is_well(broker_url: str, server: RabbitServer) -> None:
    """Queues that are not there yet are worth a note; the doctor makes none, and leaves no message."""
    new = found(rabbitmq.look, BROKER_URL=broker_url)
    assert [each.level for each in new] == [Level.NOTE] * len(every_queue()) + [Level.GOOD]
    assert server.queues() == {}
    assert QueueNudge(create_broker(broker_url)).send(EVENTS, [1])
    used = found(rabbitmq.look, BROKER_URL=broker_url)
    assert [(each.level, each.said) for each in used] == [(Level.GOOD, "takes messages")]
    assert sum(server.queues().values()) == 1


def test_one_that_takes_no_messages(broker_url: str, server: RabbitServer) -> None:
    """Nobody hears of it but whoever sends."""
    assert QueueNudge(create_broker(broker_url)).send(EVENTS, [1])
    with server.memory_alarm():
        assert said(found(rabbitmq.look, BROKER_URL=broker_url), Level.FAULT) == [
            "takes no messages: it is short of memory or disk"
        ]


@pytest.mark.parametrize(
    ("old", "new", "said_of_it"),
    [
        ("guest:guest@", "guest:wrong@", "refuses our login"),
        ("/\n", "/nowhere", "does not let us into that virtual host"),
    ],
)
def test_a_door_that_is_shut(broker_url: str, old: str, new: str, said_of_it: str) -> None:
    """Which of the two it is, with a cure."""
    url = f"{broker_url}\n".replace(old, new).strip()
    assert said(found(rabbitmq.look, BROKER_URL=url), Level.FAULT) == [said_of_it]


def test_a_queue_of_somebody_elses(broker_url: str, server: RabbitServer) -> None:
    """Workers could not use it."""
    server.declare("dunning.events")
    (fault,) = said(found(rabbitmq.look, BROKER_URL=broker_url), Level.FAULT)
    assert fault == "has a queue dunning.events that somebody else has made"


def test_a_user_with_too_few_permissions(broker_url: str, server: RabbitServer) -> None:
    """What is missing is told as RabbitMQ wants it written; with that, all is well."""
    server.control("add_user", "worker", "password")
    try:
        server.control("set_permissions", "worker", "^$", "^$", "^$")
        url = broker_url.replace("guest:guest", "worker:password")
        assert said(found(rabbitmq.look, BROKER_URL=url), Level.FAULT) == ["does not let us send"]
        assert QueueNudge(create_broker(broker_url)).send(EVENTS, [1])
        refused = said(found(rabbitmq.look, BROKER_URL=url), Level.FAULT)
        assert "does not let us use the queue dunning.events" in refused
        allowed = r"^dunning\."
        server.control("set_permissions", "worker", allowed, rf"{allowed}|^amq\.default$", allowed)
        assert QueueNudge(create_broker(url)).send(EVENTS, [1])
        assert not said(found(rabbitmq.look, BROKER_URL=url), Level.FAULT)
    finally:
        server.control("delete_user", "worker")
