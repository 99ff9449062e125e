"""What waits, is late or was given up, as read from real rows, and what is made of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from console.status import Status, assess
from db import status, totals
from db.heartbeats import Heartbeat
from db.intake import Intake, Row
from db.mismatches import Mismatches
from db.status import CasesState, InboxState, OutboxState, State
from db.totals import Totals
from settings.urls import for_asyncpg
from tests.scenarios.story import subscriber
from tests.scenarios.world import World
from tests.worker.breaking import release, trip
from worker.broker import QueueNudge, create_broker
from worker.lengths import QueueLength, lengths
from worker.queues import EVENTS, IDS_PER_MESSAGE, MAIL
from worker.usecases.apply_events import apply_events

IDLE = State(InboxState(0, None, 0), OutboxState(0, 0, 0, 0, None), CasesState(0, 0, None))
NOTHING, AGREED = Totals(), Mismatches(0, 0, None, None)
ALL_QUEUES = {"queues": ["events", "cases", "mail", "team", "billing", "webhooks"]}


def process(kind: str, info: Mapping[str, Any] | None = None, age: float = 1.0) -> Heartbeat:
    """A heartbeat of `age` seconds ago."""
    return Heartbeat(f"{kind}-1", kind, datetime(2026, 1, 1, tzinfo=UTC), timedelta(seconds=age), info or {})


WORKER, SCHEDULER = process("worker", ALL_QUEUES), process("scheduler")


def judged(
    state: State,
    processes: Sequence[Heartbeat],
    queues: Sequence[QueueLength] | None,
    *,
    totals: Totals = NOTHING,
    mismatches: Mismatches = AGREED,
    broker: str | None = "Redis",
) -> Status:
    """What is made of it where nothing else is said."""
    return assess(state, processes, queues, totals=totals, access={}, mismatches=mismatches, broker=broker)


def wrongs(state: State = IDLE, *processes: Heartbeat, queues: list[QueueLength] | None = None) -> list[str]:
    """What is wrong, with Redis asked; without processes given, all are alive."""
    seen = judged(state, processes or (WORKER, SCHEDULER), [] if queues is None else queues)
    assert all(problem.cure for problem in seen.problems)
    return [problem.wrong for problem in seen.problems]


def read(world: World) -> State:
    """The state of the world's database."""

    async def look() -> State:
        async with world.services.engine.connect() as connection:
            return await status.read(connection)

    return world.run(look())


def levels(world: World) -> Mapping[str, int]:
    """How many customers there are of each level."""

    async def look() -> Mapping[str, int]:
        async with world.services.engine.connect() as connection:
            return await totals.access(connection)

    return world.run(look())


def change(world: World, statement: str) -> None:
    """Let time pass for some rows."""

    async def execute() -> None:
        async with world.services.engine.begin() as connection:
            await connection.execute(text(statement))

    world.run(execute())


def receive(world: World, database_url: str, body: bytes) -> list[int]:
    """Put one event into the inbox, through the receiver's own statement."""

    async def insert() -> list[int]:
        intake = Intake(for_asyncpg(database_url))
        try:
            row = Row("stripe", "evt_1", "invoice.paid", False, None, "pending", None, body)
            return list((await intake.insert([row])).values())
        finally:
            intake.drop()

    return world.run(insert())


def test_an_idle_service_is_well() -> None:
    """Everybody alive, nothing waiting."""
    assert wrongs() == []


@pytest.mark.parametrize(
    ("processes", "expected"),
    [
        ([SCHEDULER], ["No worker is alive."]),
        ([WORKER], ["No scheduler is alive."]),
        ([process("worker", ALL_QUEUES, age=21), SCHEDULER], ["No worker is alive."]),
        (
            [process("worker", {"queues": ["mail", "team", "billing", "webhooks"]}), SCHEDULER],
            ["No worker serves events,cases."],
        ),
        ([WORKER, process("worker", ALL_QUEUES, age=90), SCHEDULER, process("scheduler", age=90)], []),
    ],
)
def test_somebody_must_be_alive_for_everything(processes: list[Heartbeat], expected: list[str]) -> None:
    """Every queue and the schedule; one that is missing beside one that is alive is no problem."""
    assert wrongs(IDLE, *processes) == expected


def test_events_that_wait_or_were_given_up(world: World, database_url: str) -> None:
    """A minute is too long; and what cannot be read is retired by the worker and told here."""
    [row] = receive(world, database_url, b'{"no": "event"}')
    fresh = read(world)
    assert (fresh.inbox.pending, fresh.inbox.dead, wrongs(fresh)) == (1, 0, [])
    change(world, "UPDATE inbox SET received_at = received_at - interval '61 seconds'")
    assert wrongs(read(world)) == ["Events wait for longer than a minute."]
    world.run(apply_events(world.services, [row]))
    dead = read(world)
    assert (dead.inbox.pending, dead.inbox.oldest, dead.inbox.dead) == (0, None, 1)
    assert wrongs(dead) == ["1 events were given up."]


def test_messages_that_nobody_takes_up(world: World) -> None:
    """Counted by status; late when they were due a minute ago, or were claimed by somebody who is gone."""
    subscriber(world, "do_not_honor").until(1)
    assert read(world).outbox == OutboxState(0, 0, 0, 0, None)
    change(world, "UPDATE outbox SET status = 'pending', due_at = clock_timestamp() + interval '1 hour'")
    waiting = read(world)
    assert (waiting.outbox.pending, waiting.outbox.overdue, wrongs(waiting)) == (1, None, [])
    change(world, "UPDATE outbox SET due_at = clock_timestamp() - interval '2 minutes'")
    assert wrongs(read(world)) == ["Messages wait for longer than a minute."]
    change(
        world,
        "UPDATE outbox SET status = 'sending', lease_until = clock_timestamp() - interval '2 minutes'",
    )
    assert wrongs(read(world)) == ["Messages wait for longer than a minute."]
    change(world, "UPDATE outbox SET status = 'unknown'")
    assert read(world).outbox == OutboxState(0, 0, 1, 0, None)


def test_cases_are_late_by_the_wall_clock_only(world: World) -> None:
    """A test clock that stands still is not late; a case whose time has long come is."""
    subscriber(world, "insufficient_funds").until(1)
    on_clock = read(world)
    assert (on_clock.cases.open, on_clock.cases.due, wrongs(on_clock)) == (1, 0, [])
    assert levels(world) == {"warned": 1}
    change(world, "UPDATE cases SET due_at = due_at - interval '30 days'")
    assert (read(world).cases.due, wrongs(read(world))) == (1, [])
    change(world, "UPDATE cases SET test_clock = NULL")
    assert wrongs(read(world)) == ["Cases are late by more than a minute."]


def test_a_tripped_breaker_is_the_first_problem(world: World) -> None:
    """With its reason, as long as it holds."""
    trip(world)
    [said] = wrongs(read(world))
    assert said.startswith("The breaker has been tripped since ")
    assert said.endswith(" UTC: a wrong price list.")
    release(world)
    assert wrongs(read(world)) == []


def test_queues_are_counted_as_dramatiq_fills_them(redis_url: str) -> None:
    """Messages that wait, by queue; nothing is written by looking."""
    broker = create_broker(redis_url)
    nudge = QueueNudge(broker)
    assert nudge.send(EVENTS, list(range(IDS_PER_MESSAGE + 10)))
    assert nudge.send(MAIL, [1])
    counted = lengths(redis_url)
    assert counted is not None
    assert {one.queue: (one.waiting, one.in_hand) for one in counted} == {
        "events": (2, 0),
        "cases": (0, 0),
        "mail": (1, 0),
        "team": (0, 0),
        "billing": (0, 0),
        "webhooks": (0, 0),
    }
    consumer = broker.consume(MAIL.queue, prefetch=1, timeout=1000)
    message = next(consumer)
    assert message is not None
    assert QueueLength("mail", 0, 1) in (lengths(redis_url) or [])
    consumer.ack(message)
    assert QueueLength("mail", 0, 0) in (lengths(redis_url) or [])
    broker.close()


def test_redis_away_is_a_problem_only_when_it_was_asked() -> None:
    """Without REDIS_URL the queues are left out."""
    asked = judged(IDLE, (WORKER, SCHEDULER), None)
    assert [problem.wrong for problem in asked.problems] == ["Redis does not answer."]
    assert not judged(IDLE, (WORKER, SCHEDULER), None, broker=None).problems
    assert lengths("redis://127.0.0.1:1/0") is None


def test_who_pays_and_is_locked_out_and_who_is_told_nothing() -> None:
    """Both are wrong; that somebody is let in for nothing is for the alerts alone."""
    off = judged(IDLE, (WORKER, SCHEDULER), [], totals=Totals(disabled=1))
    assert ["An endpoint of your application" in each.wrong for each in off.problems] == [True]
    locked = judged(IDLE, (WORKER, SCHEDULER), [], mismatches=Mismatches(2, 5, timedelta(1), timedelta(1)))
    assert [each.wrong for each in locked.problems] == ["2 customers pay and do not have full access."]
