"""RabbitMQ killed, frozen, full and short of memory under our own processes, which have no Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from sandbox.postgres import PostgresServer
from tests.chaos.conftest import Tell
from tests.chaos.house import House, house, nothing_is_lost_or_doubled, p99, statuses
from tests.rabbitmq.server import RabbitServer
from tests.webhooks.process import frozen, wait_until
from worker.broker import QueueNudge, create_broker
from worker.queues import EVENTS, MOST_WAITING
from worker.rabbit import Publisher, name


@pytest.fixture(scope="module")
def town(
    postgres_server: PostgresServer,
    migrated_template: str,
    server: RabbitServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """Receiver, worker and scheduler, with the times that they have in production."""
    url = postgres_server.create_database("rabbitmq", template=migrated_template)
    with house(url, server.url, tmp_path_factory.mktemp("rabbitmq"), hurry=False) as town:
        yield town
    postgres_server.drop_database("rabbitmq")


def back_at_work(town: House) -> float:
    """Seconds until one of the events that come from now on is applied."""
    began = time.monotonic()
    new: set[str] = set()

    def applied() -> bool:
        new.update(answer.event for answer in town.deliver(1))
        time.sleep(0.1)
        return bool(new & town.applied().keys())

    wait_until(applied, "an event to be applied")
    return round(time.monotonic() - began, 1)


def test_killed(town: House, server: RabbitServer, tell: Tell, long: bool) -> None:
    """Killed in the middle of the work and started again, with events coming all the time."""
    rounds = 5 if long else 2
    answers, back = [], []
    for _ in range(rounds):
        answers += town.deliver_at_once(20)
        server.kill()
        answers += town.deliver(20, pace=0.05)
        server.start()
        back.append(back_at_work(town))
    figures = town.settle()
    tell("rabbitmq killed", faults=rounds, ack_p99_ms=p99(answers), at_work_again_after=back, **figures)
    assert statuses(answers) == {200}
    nothing_is_lost_or_doubled(figures)


def test_frozen(town: House, server: RabbitServer, tell: Tell) -> None:
    """While RabbitMQ says nothing every event is answered 200, as soon as ever."""
    seconds = 4.0
    dropped = town.receiver.figures()["nudges_dropped"]
    with frozen(server.pid):
        answers = town.deliver(int(20 * seconds), pace=0.05)
        wait_until(lambda: town.receiver.state()["rabbitmq"] == "down", "the receiver to notice")
    figures = town.settle()
    dropped = town.receiver.figures()["nudges_dropped"] - dropped
    tell(
        "rabbitmq frozen",
        faults=1,
        frozen_seconds=seconds,
        ack_p99_ms=p99(answers),
        dropped=dropped,
        **figures,
    )
    assert statuses(answers) == {200}
    assert p99(answers) <= 500
    assert dropped
    nothing_is_lost_or_doubled(figures)


def test_frozen_until_it_counts_as_gone(town: House, server: RabbitServer, tell: Tell) -> None:
    """For longer than a heartbeat may take: every connection is given up, and made anew."""
    with frozen(server.pid):
        answers = town.deliver(70, pace=0.5)
    figures = town.settle()
    tell("rabbitmq frozen for 35 s", faults=1, ack_p99_ms=p99(answers), **figures)
    assert statuses(answers) == {200}
    nothing_is_lost_or_doubled(figures)


def test_short_of_memory(town: House, server: RabbitServer, tell: Tell) -> None:
    """It takes no messages: events are stored, nudges dropped and counted, and all is done afterwards."""
    dropped = town.receiver.figures()["nudges_dropped"]
    with server.memory_alarm():
        answers = town.deliver(60, pace=0.05)
        wait_until(lambda: town.said("scheduler", "nudge.lost"), "the scheduler to be refused")
        assert town.receiver.state()["status"] == "ready"
    figures = town.settle()
    dropped = town.receiver.figures()["nudges_dropped"] - dropped
    tell("rabbitmq short of memory", faults=1, ack_p99_ms=p99(answers), dropped=dropped, **figures)
    assert statuses(answers) == {200}
    assert p99(answers) <= 500
    assert dropped
    nothing_is_lost_or_doubled(figures)


def test_full(town: House, server: RabbitServer, tell: Tell) -> None:
    """A queue that is full, of work that was done long ago, is worked off like any other."""
    rows = town.store(60)
    nudge, publisher = QueueNudge(create_broker(server.url)), Publisher(server.url, limit=10.0)
    with frozen(town.running["worker"].pid):
        for _ in range(MOST_WAITING // 2 + 50):
            nudge.send(EVENTS, rows[:1])
            nudge.send(EVENTS, rows[1:3])
        assert publisher.waiting()[EVENTS.queue] == MOST_WAITING
        answers = town.deliver(20)
    figures = town.settle()
    publisher.close()
    tell("rabbitmq's queue full", faults=1, messages=MOST_WAITING, **figures)
    assert statuses(answers) == {200}
    nothing_is_lost_or_doubled(figures)


def test_a_worker_killed_with_messages_in_hand(
    town: House, server: RabbitServer, tell: Tell, long: bool
) -> None:
    """What it held is handed to whoever comes next; none of it is done twice."""
    rounds = 5 if long else 2
    answers = []
    for _ in range(rounds):
        answers += town.deliver_at_once(40)
        town.running["worker"].kill()
        town.running["worker"].wait(10)
        town.running["worker"] = town.start("worker")
    figures = town.settle()
    tell("worker killed", faults=rounds, **figures)
    assert statuses(answers) == {200}
    assert server.queues()[name(EVENTS.queue)] == 0
    nothing_is_lost_or_doubled(figures)
