"""A worker that has nothing to do is woken by what comes, and nothing is lost by waiting for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dramatiq
import pytest

from sandbox.valkey import ValkeyServer
from tests.chaos.workers import until
from tests.webhooks.process import frozen
from worker import consumer
from worker.broker import QueueNudge, create_broker
from worker.queues import CASES, EVENTS, IDS_PER_MESSAGE, MAIL, NAMESPACE, Wakeup
from worker.redis_broker import OurRedisBroker

QUEUE = f"{NAMESPACE}:{EVENTS.queue}"


@pytest.fixture
def broker(redis_url: str) -> Iterator[OurRedisBroker]:
    """As every process has it."""
    made = create_broker(redis_url)
    assert isinstance(made, OurRedisBroker)
    yield made
    made.close()


def consumers(broker: OurRedisBroker, count: int, prefetch: int = 5) -> list[Any]:
    return [broker.consume(EVENTS.queue, prefetch=prefetch, timeout=100) for _ in range(count)]


def wake_when(broker: OurRedisBroker, waiting: int, look: Callable[[], list[object]]) -> list[object]:
    """Look from another thread, and send a wake-up when so many connections wait for one."""
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(look)
        until(lambda: broker.client.info("clients")["blocked_clients"] == waiting, "somebody waits")
        QueueNudge(broker).send(CASES, [1])
        QueueNudge(broker).send(EVENTS, [1])
        return found.result()


def test_who_waits_is_woken(broker: OurRedisBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long before it would have looked by itself."""
    monkeypatch.setattr(consumer, "WAIT", 60.0)
    [one] = consumers(broker, 1)
    nothing, message = wake_when(broker, 1, lambda: [next(one), next(one)])
    assert nothing is None
    assert message.args == ([1],)  # type: ignore[attr-defined]


def test_all_are_woken_and_one_has_the_message(
    broker: OurRedisBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting takes nothing: whoever is killed in it has lost nothing."""
    monkeypatch.setattr(consumer, "WAIT", 60.0)
    several = consumers(broker, 3)

    def look() -> list[object]:
        with ThreadPoolExecutor(3) as pool:
            assert set(pool.map(next, several)) == {None}
        assert broker.client.llen(QUEUE) == 1
        monkeypatch.setattr(consumer, "WAIT", 0.01)
        return [next(each) for each in several]

    assert sum(found is not None for found in wake_when(broker, 3, look)) == 1


def test_who_has_enough_in_hand_takes_no_more(broker: OurRedisBroker) -> None:
    """What waits is left to others."""
    [busy] = consumers(broker, 1, prefetch=1)
    for number in (1, 2):
        QueueNudge(broker).send(EVENTS, [number])
    assert [next(busy).args, next(busy)] == [([1],), None]
    assert broker.client.llen(QUEUE) == 1


@pytest.mark.parametrize(("wakeup", "taken"), [(EVENTS, 2), (CASES, 2), (MAIL, 5)])
def test_large_batches_are_shared_with_others(broker: OurRedisBroker, wakeup: Wakeup, taken: int) -> None:
    """Of what is computed a process holds few rows, not as many messages as it may."""
    busy, idle = (broker.consume(wakeup.queue, prefetch=5, timeout=100) for _ in range(2))
    QueueNudge(broker).send(wakeup, range(12 * IDS_PER_MESSAGE))
    held = [message for message in (next(busy) for _ in range(6)) if message]
    assert len(held) == taken
    assert next(idle)
    busy.ack(held[0])
    assert next(busy)


def test_wake_ups_for_a_row_each_are_taken_in_numbers(broker: OurRedisBroker) -> None:
    """They may wait for a provider, and what waits for it computes nothing."""
    [one] = consumers(broker, 1, prefetch=5)
    for number in range(6):
        QueueNudge(broker).send(EVENTS, [number])
    assert [message is not None for message in (next(one) for _ in range(6))] == [True] * 5 + [False]


def test_where_nobody_may_wait_the_queue_is_looked_at(broker: OurRedisBroker) -> None:
    """As with a server that is too old for it."""
    [one] = consumers(broker, 1)
    broker.client.execute_command("ACL", "SETUSER", "default", "-blmove")
    try:
        assert next(one) is None
        QueueNudge(broker).send(EVENTS, [1])
        assert next(one).args == ([1],)
    finally:
        broker.client.execute_command("ACL", "SETUSER", "default", "+blmove")


def test_who_leaves_does_not_insist_on_acknowledging(redis_url: str, valkey_server: ValkeyServer) -> None:
    """Dramatiq tries for as long as the server says nothing, which would hold up the end of a worker."""
    hasty = OurRedisBroker(redis_url, limit=0.2, middleware=[])
    [one] = consumers(hasty, 1)
    for number in (1, 2):
        QueueNudge(hasty).send(EVENTS, [number])
    done, failed = next(one), next(one)
    with frozen(valkey_server.pid):
        for settle in (one.ack, one.nack):
            with pytest.raises(dramatiq.ConnectionClosed):
                settle(done)
        hasty.emit_before("worker_shutdown", None)
        one.ack(done)
        one.nack(failed)
    hasty.close()
