"""A hundred thousand events wait to be applied: they are worked off, and new ones do not wait for them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from db import models
from db.sweep import BATCH
from providers.stripe.webhook import envelope
from sandbox.stripe.objects import render_event
from sandbox.stripe.records import Customer, Event
from tests.chaos.conftest import Tell
from tests.chaos.passing import clock_moved, fresh
from tests.chaos.workers import until, workers
from tests.scenarios.world import World
from worker.broker import QueueNudge, create_broker
from worker.queues import ENOUGH_WAITING, EVENTS, IDS_PER_MESSAGE
from worker.schedule import tick
from worker.usecases.apply_events import apply_events

SHORT, LONG = 3_000, 100_000
CUSTOMERS = 200
# Messages that the short form's one worker answers between two ticks.
A_TICK = 3
# Seconds in which the long form must be through.
WITHIN = 1_500.0

COPIES = text("""
    INSERT INTO inbox (source, event_id, type, livemode, status, received_at, due_at, payload)
    SELECT source, event_id || '_' || number, type, livemode, 'pending', received_at,
           clock_timestamp() - interval '1 hour', payload
    FROM inbox, generate_series(1, :copies) AS number WHERE event_id = ANY(:events)
    RETURNING id
""")


def stored(world: World, events: Sequence[Event], copies: int) -> int:
    """So many copies of each, which nobody was woken for; how many there are."""
    bodies = [json.dumps(render_event(event, world.version)).encode() for event in events]
    rows = [
        {
            "source": "stripe",
            "event_id": each.event_id,
            "type": each.type,
            "livemode": False,
            "status": "done",
            "payload": body,
        }
        for each, body in zip(map(envelope, bodies), bodies, strict=True)
    ]

    async def write() -> int:
        async with world.services.engine.begin() as connection:
            await connection.execute(models.inbox.insert(), rows)
            given = {"copies": copies, "events": [row["event_id"] for row in rows]}
            return len((await connection.execute(COPIES, given)).all())

    return world.run(write())


def pending(world: World) -> set[int]:
    rows = world.rows(models.inbox, models.inbox.c.id, models.inbox.c.status)
    return {row.id for row in rows if row.status == "pending"}


@pytest.mark.parametrize("heeded", [True, False], ids=["heeded", "control"])
def test_new_events_wait_behind_no_more_than_a_queue_of_a_backlog(
    world: World, redis_url: str, tell: Tell, heeded: bool
) -> None:
    """Each tick hands out more than a worker does until the next, but not to a queue that has enough.

    A negative control hands out all the same, and new events wait for most of what is old.
    """
    clock_moved(world)
    stored(world, world.hear()[-1:], SHORT)
    broker = create_broker(redis_url)
    nudge, consumer = QueueNudge(broker), broker.consume(EVENTS.queue, timeout=1)
    waited: list[int] = []
    new: dict[int, int] = {}
    ticks = 0
    while left := pending(world):
        waited += [ticks - came for row, came in new.items() if row not in left]
        new = {row: came for row, came in new.items() if row in left}

        async def one_tick() -> None:
            full = await nudge.full() if heeded else ()
            await tick(world.services.engine, nudge, clock=lambda: world.now, delay=0.0, full=full)

        world.run(one_tick())
        if len(left) > BATCH:
            row = fresh(world)
            new[row] = ticks
            nudge.send(EVENTS, [row])
        ticks += 1
        for _ in range(A_TICK):
            if message := next(consumer):
                world.run(apply_events(world.services, message.args[0]))
                consumer.ack(message)
    broker.close()
    tell(
        "backlog",
        events=SHORT,
        ticks=ticks,
        new=len(waited),
        longest_wait_ticks=max(waited),
        control=not heeded,
    )
    most = (ENOUGH_WAITING + BATCH // IDS_PER_MESSAGE) // A_TICK + 1
    assert (max(waited) <= most) == heeded


def test_a_queue_that_cannot_be_asked_has_room(world: World) -> None:
    """Redis is away: what is due is handed out, in vain for now, and again when it is back."""
    broker = create_broker("redis://127.0.0.1:9")
    assert world.run(QueueNudge(broker).full()) == frozenset()
    broker.close()


@pytest.mark.only_long
def test_a_hundred_thousand_events_are_worked_off_while_new_ones_pass(
    world: World, redis_url: str, tmp_path: Path, tell: Tell, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two real workers; a new event each second, and how long it takes, as the backlog shrinks."""
    engine = world.stripe.engine
    for number in range(CUSTOMERS):
        engine.create_customer(f"customer{number}@shop.example")
    ledger = engine.ledger
    for customer in ledger.all(Customer):
        ledger.change("customer.updated", replace(customer, name="Ada"), at=ledger.now(None))
    events = [event for event in world.hear() if event.type == "customer.updated"]
    total = stored(world, events, LONG // CUSTOMERS)
    took: list[float] = []
    ticks: list[float] = []
    with workers(world, redis_url, tmp_path) as some:
        for _ in range(2):
            some.start()
        began = time.monotonic()
        while left := world.run(_left(world)):
            at = time.monotonic()
            some.look()
            ticks.append(time.monotonic() - at)
            with capsys.disabled():
                print(f"  {time.monotonic() - began:5.0f} s: {left} left", flush=True)  # noqa: T201  # progress
            row = fresh(world)
            at = time.monotonic()
            some.wake(EVENTS, [row])
            until(lambda: not world.run(_left(world, row)), "a new event is applied", WITHIN)  # noqa: B023  # at once
            took.append(time.monotonic() - at)
            time.sleep(max(0.0, 1 - (time.monotonic() - at)))
            assert time.monotonic() - began < WITHIN
        seconds = time.monotonic() - began
    tell(
        "backlog", events=total, seconds=round(seconds), a_second=round(total / seconds), new=len(took),
        new_p50_ms=round(sorted(took)[len(took) // 2] * 1000), new_max_ms=round(max(took) * 1000),
        tick_max_ms=round(max(ticks) * 1000),
    )  # fmt: skip
    assert total == LONG


async def _left(world: World, row: int | None = None) -> int:
    """How many events are pending, or whether this one is."""
    wanted = select(func.count()).where(models.inbox.c.status == "pending")
    if row is not None:
        wanted = wanted.where(models.inbox.c.id == row)
    async with world.services.engine.connect() as connection:
        return int((await connection.execute(wanted)).scalar_one())
