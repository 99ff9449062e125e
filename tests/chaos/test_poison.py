"""F13: an event that each time kills the process that takes it up: it is retired, and the team is called."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select

from db import models
from db.sweep import MOST_ATTEMPTS
from sandbox.stripe import Fault
from tests.chaos.conftest import Tell
from tests.chaos.crowd import ALL_RUN_OUT, Crowd
from tests.chaos.passing import fresh
from tests.chaos.workers import Workers, until, workers
from tests.cli.forking import Forked
from tests.scenarios.world import TEAM_ADDRESS, World
from worker.breaker import watch
from worker.queues import EVENTS

# Other events: before anything happens, and around each death.
CALM = 12
AROUND = 3
# Seconds that Stripe leaves the one unanswered who takes up the poison; it does not live so long.
SLOW = 8.0


def test_an_event_that_kills_its_worker_is_retired_and_the_team_is_called(
    world: World, redis_url: str, tmp_path: Path, tell: Tell
) -> None:
    """Five deaths, each while it asks Stripe; no event beside it waits for it, or has to be handed out again.

    While somebody holds the poison, and after each death, others are done at their first wake-up.
    """
    crowd = Crowd(world, 1, on_clock=True)
    crowd.fail(EVENTS)
    [[poison]] = crowd.unheard()
    invoice = world.stripe.engine.latest_invoice(crowd.subscriptions[0]).id
    world.stripe.faults.add(Fault(match=f"GET .*{invoice}", seconds=SLOW, times=MOST_ATTEMPTS))
    port = urlsplit(world.stripe.url).port or 0
    with workers(world, redis_url, tmp_path) as some:
        alive = [some.start(), some.start()]
        others(world, some, 1)
        calm = others(world, some, CALM)
        around: dict[int, float] = {}
        for _ in range(MOST_ATTEMPTS):
            world.run(world.stage.let_pass(ALL_RUN_OUT))
            some.look()
            until(lambda: holders(alive, port), "somebody takes it up")  # noqa: B023  # runs at once
            beside = others(world, some, AROUND)
            [dying] = holders(alive, port)
            dying.kill()
            around |= beside | others(world, some, AROUND)
            alive = [each for each in alive if each is not dying] + [some.start()]
        world.run(world.stage.let_pass(ALL_RUN_OUT))
        some.look()
        world.run(watch(world.services.engine, some.nudge, None))
        until(lambda: world.inbox.to(TEAM_ADDRESS), "the team is called")

    # The one that was handed out together with it is among those that are done.
    [dead] = [row for row in world.rows(models.inbox) if row.status != "done"]
    at_once = [row for row in world.rows(models.inbox) if row.id in around and row.attempts == 1]
    tell(
        "F13", deaths=MOST_ATTEMPTS, status=dead.status, attempts=dead.attempts, others=len(around),
        others_at_once=len(at_once), slowest_calm_ms=round(max(calm.values()) * 1000),
        slowest_ms=round(max(around.values()) * 1000), team_called=1,
    )  # fmt: skip
    assert (dead.id, dead.status, dead.attempts) == (poison, "dead", MOST_ATTEMPTS)
    assert dead.last_error == "it ended the process that applied it"
    [call] = world.inbox.to(TEAM_ADDRESS)
    assert "dunning dead list" in call.text
    assert len(at_once) == len(around) == 2 * AROUND * MOST_ATTEMPTS


def others(world: World, some: Workers, number: int) -> dict[int, float]:
    """So many other events, one after another, as they come in: the seconds that each row took."""
    took = {}
    for _ in range(number):
        row = fresh(world)
        began = time.monotonic()
        some.wake(EVENTS, [row])
        until(lambda: world.run(_is_done(world, row)), "another event is applied")  # noqa: B023  # runs at once
        took[row] = time.monotonic() - began
    return took


async def _is_done(world: World, row: int) -> bool:
    async with world.services.engine.connect() as connection:
        found = await connection.scalar(select(models.inbox.c.status).where(models.inbox.c.id == row))
    return found == "done"


def holders(workers: Sequence[Forked], port: int) -> list[Forked]:
    """Who asks Stripe: nobody has to about any event but the poison."""
    return [each for each in workers if is_connected(each.pid, port)]


def _target(opened: Path) -> str:
    """What an open file of somebody's is; one that has just been closed is nothing."""
    try:
        return os.readlink(opened)
    except FileNotFoundError:
        return ""


def is_connected(pid: int, port: int) -> bool:
    """Whether this process has a connection to this port, as Linux tells it."""
    sockets = {_target(each) for each in Path(f"/proc/{pid}/fd").iterdir()}
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, *_, inode = line.split()[:10]
        if state == "01" and remote.endswith(f":{port:04X}") and f"socket:[{inode}]" in sockets:
            return True
    return False
