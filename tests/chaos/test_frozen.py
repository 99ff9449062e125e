"""F6: a worker is frozen in the middle of its work for longer than its lease and its heartbeat.

Others do what it held. When it goes on, as if nothing had been, nothing is done a second time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from db import models
from sandbox.stripe import Fault
from tests.chaos.conftest import Tell
from tests.chaos.crowd import ALL_RUN_OUT, Crowd, Facts
from tests.chaos.workers import Workers, frozen, until, workers
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.world import World
from tests.worker.calling import NO_RETRIES
from tests.worker.plain import plain
from worker.queues import BILLING, EVENTS, MAIL, WEBHOOKS

# Seconds; longer than a test takes from the freeze on.
SLOW = 4.0
# Seconds without a command after which Redis takes a worker for dead (`queues.HEARTBEAT_TIMEOUT`), and more.
HEARTBEAT_OVER = 33.0


def test_a_worker_frozen_while_it_applies_an_event_applies_nothing_twice(world: World, redis_url: str, tmp_path: Path, long: bool, tell: Tell) -> None:
    crowd = Crowd(world, 1)
    crowd.fail(EVENTS)
    rows = crowd.unheard()[0]
    with workers(world, redis_url, tmp_path) as some:
        first = some.start("--queues", "events")
        world.stripe.faults.add(Fault(match="/v1/invoices", seconds=SLOW))
        some.wake(EVENTS, rows)
        until(lambda: world.stripe.api.requested("GET", "/v1/invoices"), "it asks Stripe")
        with frozen(first):
            world.run(world.stage.let_pass(ALL_RUN_OUT))
            second = some.start("--queues", "events")
            some.look()
            until(lambda: not pending(world), "somebody else has applied it")
        time.sleep(SLOW)
    print(crowd.told())


def pending(world: World) -> bool:
    return any(row.status == "pending" for row in world.rows(models.inbox, models.inbox.c.status))
