"""Nudges: ids of committed rows in messages a worker understands, and never in anybody's way."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from dramatiq import MessageProxy
from dramatiq.brokers.redis import RedisBroker

from sandbox.valkey import ValkeyServer
from tests.webhooks.conftest import Query
from tests.webhooks.process import ReceiverProcess, frozen, wait_until
from tests.webhooks.stripe_calls import event, signed
from webhooks.log import Log
from webhooks.nudge import CAPACITY, Nudger
from worker import queues


@pytest.fixture
def nudger(redis_url: str) -> Iterator[Nudger]:
    """A nudger that is not started yet."""
    made = Nudger(redis_url, Log("json", "error"))
    yield made
    made.close()


def waiting(redis_url: str) -> list[MessageProxy]:
    """What a worker's consumer gets from the events queue."""
    broker = RedisBroker(url=redis_url, namespace=queues.NAMESPACE)  # type: ignore[no-untyped-call]  # partly annotated
    consumer = broker.consume(queues.EVENTS.queue, prefetch=50, timeout=1)
    messages = []
    while message := next(consumer):
        messages.append(message)
        consumer.ack(message)
    return messages


def test_waiting_ids_travel_in_one_message(nudger: Nudger, redis_url: str) -> None:
    """Ids that wait together are one message for the actor, up to a limit, in order."""
    count = 2 * queues.IDS_PER_MESSAGE + 7
    for row_id in range(count):
        nudger.push(row_id)
    nudger.start()
    wait_until(lambda: nudger.sent == count, "all nudges")
    messages = waiting(redis_url)
    assert {(message.queue_name, message.actor_name) for message in messages} == {("events", "apply_events")}
    assert [len(message.args[0]) for message in messages] == [
        queues.IDS_PER_MESSAGE,
        queues.IDS_PER_MESSAGE,
        7,
    ]
    assert [row_id for message in messages for row_id in message.args[0]] == list(range(count))
    assert (nudger.state, nudger.dropped) == ("up", 0)


def test_what_waits_is_bounded(nudger: Nudger) -> None:
    """When nothing is sent, the oldest ids beyond the limit are dropped and counted."""
    for row_id in range(CAPACITY + 5):
        nudger.push(row_id)
    assert nudger.dropped == 5
    nudger.start()
    wait_until(lambda: nudger.sent == CAPACITY, "the rest")


def test_stopping_sends_what_waits(nudger: Nudger, redis_url: str) -> None:
    """A clean stop leaves no id behind."""
    nudger.start()
    wait_until(lambda: nudger.state == "up", "the first contact")
    for row_id in range(100):
        nudger.push(row_id)
    nudger.close()
    assert (nudger.sent, nudger.dropped) == (100, 0)
    assert sum(len(message.args[0]) for message in waiting(redis_url)) == 100


def test_stopping_gives_a_frozen_redis_up(nudger: Nudger, valkey_server: ValkeyServer) -> None:
    """With Redis frozen a stop drops what waits instead of waiting for it."""
    nudger.start()
    wait_until(lambda: nudger.state == "up", "the first contact")
    with frozen(valkey_server.pid):
        for row_id in range(CAPACITY):
            nudger.push(row_id)
        nudger.close()
        assert nudger.sent + nudger.dropped == CAPACITY
        assert nudger.dropped


def test_an_url_that_is_none_only_costs_nudges(redis_url: str) -> None:
    """Whatever is wrong with the queue, the thread lives on and ids are dropped."""
    nudger = Nudger("nonsense://", Log("json", "error"))
    nudger.start()
    nudger.push(1)
    wait_until(lambda: nudger.dropped == 1, "the drop")
    nudger.close()
    assert nudger.state == "down"


def test_only_new_work_is_nudged(receiver: ReceiverProcess, query: Query, redis_url: str) -> None:
    """New pending rows are nudged once by their ids; duplicates and ignored events are not."""
    bodies = [event("evt_1"), event("evt_2"), event("evt_1"), event("evt_3", type="invoice.created")]
    assert [receiver.post(body, signed(body)).status_code for body in bodies] == [200] * 4
    wait_until(lambda: receiver.figures()["nudges_sent"] == 2, "both nudges")
    pending = [row["id"] for row in query("SELECT id FROM inbox WHERE status = 'pending' ORDER BY id")]
    nudged = [row_id for message in waiting(redis_url) for row_id in message.args[0]]
    assert sorted(nudged) == pending
    assert receiver.figures()["nudges_dropped"] == 0


def test_the_names_of_the_queues() -> None:
    """Six queues, each with an actor of its own; a wake-up cannot be changed."""
    names = ["events", "cases", "mail", "team", "billing", "webhooks"]
    assert [wakeup.queue for wakeup in queues.WAKEUPS] == names
    assert len({wakeup.actor for wakeup in queues.WAKEUPS}) == 6
    assert replace(queues.EVENTS) == queues.EVENTS
