"""Our broker and our publisher on a real RabbitMQ."""

from __future__ import annotations

import time
from collections.abc import Iterator

import dramatiq
import pytest

from tests.rabbitmq.conftest import every_queue
from tests.rabbitmq.server import RabbitServer
from tests.webhooks.process import frozen, wait_until
from webhooks.log import Log
from webhooks.nudge import Nudger
from worker.broker import QueueNudge, create_broker, message
from worker.lengths import QueueLength, lengths
from worker.queues import ENOUGH_WAITING, EVENTS, IDS_PER_MESSAGE, MAIL, MOST_WAITING
from worker.rabbit import Publisher, RabbitError, SilentError
from worker.rabbit_broker import RabbitBroker

LIMIT = 0.5
# A machine that is busy.
SLACK = 0.5


@pytest.fixture
def broker(broker_url: str) -> Iterator[RabbitBroker]:
    """Ours."""
    made = create_broker(broker_url)
    assert isinstance(made, RabbitBroker)
    yield made
    made.close()


@pytest.fixture
def publisher(broker_url: str) -> Iterator[Publisher]:
    """One that has sent something already."""
    made = Publisher(broker_url, limit=LIMIT)
    made.publish(MAIL.queue, b"first")
    yield made
    made.close()


def taken(broker: RabbitBroker, queue: str, *, threads: int = 1) -> list[dramatiq.MessageProxy]:
    """What a worker with so many threads gets at once."""
    consumer = broker.consume(queue, prefetch=2 * threads, timeout=200)
    messages = []
    while (found := next(consumer)) is not None:
        messages.append(found)
    consumer.close()
    return messages


def refused(publisher: Publisher) -> tuple[float, type[Exception]]:
    """After how many seconds it gives up on a message, and why."""
    began = time.monotonic()
    with pytest.raises(RabbitError) as caught:
        publisher.publish(EVENTS.queue, b"lost")
    return time.monotonic() - began, caught.type


def test_a_wake_up_arrives(broker: RabbitBroker) -> None:
    """Whoever sends makes the queue, so nobody has to be there before; many ids are many messages."""
    assert QueueNudge(broker).send(EVENTS, list(range(IDS_PER_MESSAGE + 1)))
    messages = taken(broker, EVENTS.queue, threads=4)
    assert [(each.queue_name, each.actor_name) for each in messages] == [(EVENTS.queue, EVENTS.actor)] * 2
    assert [row for each in messages for row in each.args[0]] == list(range(IDS_PER_MESSAGE + 1))


def test_no_worker_keeps_more_than_it_has_threads(broker: RabbitBroker) -> None:
    """What waits in one would be out of the reach of the others. What it kept comes back when it is gone."""
    for row in range(9):
        broker.enqueue(message(EVENTS, [row]))
    assert len(taken(broker, EVENTS.queue, threads=4)) == 4
    wait_until(lambda: broker.waiting()[EVENTS.queue] == 9, "the messages to come back")


def test_there_are_no_queues_for_the_dead_and_the_delayed(broker: RabbitBroker, server: RabbitServer) -> None:
    """A message that is given up is gone: its row is in the table, and nothing piles up."""
    broker.enqueue(message(MAIL, [1]))
    consumer = broker.consume(MAIL.queue, timeout=2000)
    (given_up,) = [next(consumer)]
    assert given_up is not None
    consumer.nack(given_up)
    consumer.close()
    assert server.queues() == dict.fromkeys(every_queue(), 0)


def test_a_queue_that_nobody_serves_does_not_grow_for_ever(
    broker: RabbitBroker, broker_url: str, server: RabbitServer
) -> None:
    """Of too many messages the oldest are dropped, and the scheduler is told of a full one long before."""
    nudge, publisher = QueueNudge(broker), Publisher(broker_url, limit=10.0)
    for row in range(MOST_WAITING + 20):
        if row == ENOUGH_WAITING - 1:
            assert nudge._full() == frozenset()
        publisher.publish(EVENTS.queue, message(EVENTS, [row]).encode())
    publisher.close()
    assert nudge._full() == {EVENTS}
    assert broker.waiting()[EVENTS.queue] == MOST_WAITING
    (oldest,) = taken(broker, EVENTS.queue)
    assert oldest.args[0] == [20]
    assert len(server.queues()) == len(every_queue())


def test_lengths(broker: RabbitBroker, broker_url: str, server: RabbitServer) -> None:
    """What waits; what is in hand RabbitMQ tells nobody. Looking makes no queue."""
    assert {each.waiting for each in lengths(broker_url) or ()} == {0}
    assert server.queues() == {}
    broker.enqueue(message(MAIL, [1]))
    assert QueueLength(MAIL.queue, 1, None) in (lengths(broker_url) or ())
    assert lengths("amqp://127.0.0.1:1/") is None


def test_one_that_says_nothing_is_waited_for_once(publisher: Publisher, server: RabbitServer) -> None:
    """And for no longer than the limit; the next are refused at once, until it speaks again."""
    with frozen(server.pid):
        seconds, reason = refused(publisher)
        assert (reason, seconds < LIMIT + SLACK) == (SilentError, True)
        assert refused(publisher)[0] < 0.1
    wait_until(lambda: _takes(publisher), "a message to be taken again")


def test_one_without_memory_is_waited_for_once(publisher: Publisher, server: RabbitServer) -> None:
    """It takes nothing, and says so to whoever sends; it can still be asked what waits."""
    with server.memory_alarm():
        assert refused(publisher)[0] < LIMIT + SLACK
        assert refused(publisher)[0] < 0.1
        assert lengths(server.url)
    wait_until(lambda: _takes(publisher), "a message to be taken again")


def test_a_restart_costs_a_connection(publisher: Publisher, server: RabbitServer) -> None:
    """Refused while it is away, taken again when it is back."""
    server.kill()
    try:
        assert refused(publisher)[0] < LIMIT + SLACK
    finally:
        server.start()
    wait_until(lambda: _takes(publisher), "a message to be taken again")


def test_a_queue_that_somebody_deletes_is_made_again(publisher: Publisher, server: RabbitServer) -> None:
    """One message is lost by it."""
    server.control("delete_queue", "dunning.events")
    assert refused(publisher)[0] < LIMIT
    publisher.publish(EVENTS.queue, b"taken")
    assert server.queues()["dunning.events"] == 1


def test_another_node_is_found(server: RabbitServer) -> None:
    """Of those that are named the first that answers is taken, however they are separated."""
    for url in (
        f"amqp://guest:guest@127.0.0.1:1,127.0.0.1:{server.port}/",
        f"amqp://127.0.0.1:1/;{server.url}",
    ):
        publisher = Publisher(url, limit=2.0)
        publisher.ping()
        publisher.close()


def test_tls(server: RabbitServer) -> None:
    """By a certificate that is known, and by no other."""
    place = f"amqps://guest:guest@127.0.0.1:{server.tls_port}/"
    known = Publisher(f"{place}?cacertfile={server.certificate}", limit=5.0)
    known.ping()
    known.close()
    unknown = Publisher(place, limit=5.0)
    with pytest.raises(RabbitError):
        unknown.ping()
    unknown.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("guest:guest", "guest:wrong"), "ProbableAuthenticationError"),
        (("/", "/nowhere"), "ProbableAccessDeniedError"),
    ],
)
def test_why_it_refuses_is_told(broker_url: str, change: tuple[str, str], reason: str) -> None:
    """By a name alone, without the password."""
    old, new = change
    head, _, tail = broker_url.rpartition(old)
    publisher = Publisher(f"{head}{new}{tail}", limit=5.0)
    with pytest.raises(RabbitError) as caught:
        publisher.publish(EVENTS.queue, b"refused")
    assert type(caught.value.__cause__).__name__ == reason
    assert "wrong" not in repr(caught.value.__cause__)
    publisher.close()


def test_the_receivers_nudges_arrive(broker: RabbitBroker, broker_url: str) -> None:
    """Ids that wait together are one message, and a clean stop leaves none behind."""
    nudger = Nudger(broker_url, Log("json", "error"))
    nudger.start()
    wait_until(lambda: nudger.state == "up", "the first contact")
    for row in range(100):
        nudger.push(row)
    nudger.close()
    assert (nudger.sent, nudger.dropped) == (100, 0)
    assert sorted(row for each in taken(broker, EVENTS.queue, threads=99) for row in each.args[0]) == [
        *range(100)
    ]


@pytest.mark.parametrize("trouble", ["frozen", "without memory"])
def test_the_receivers_nudges_hold_up_nothing(broker_url: str, server: RabbitServer, trouble: str) -> None:
    """They are dropped and counted, and a stop does not wait for them."""
    nudger = Nudger(broker_url, Log("json", "error"))
    nudger.start()
    wait_until(lambda: nudger.state == "up", "the first contact")
    with frozen(server.pid) if trouble == "frozen" else server.memory_alarm():
        for row in range(500):
            nudger.push(row)
        wait_until(lambda: nudger.dropped == 500, "all of them to be dropped")
        assert nudger.state == "down"
        nudger.push(501)
        began = time.monotonic()
        nudger.close()
        assert time.monotonic() - began < 3 * LIMIT + SLACK


def _takes(publisher: Publisher) -> bool:
    try:
        publisher.publish(EVENTS.queue, b"taken")
    except RabbitError:
        return False
    return True
