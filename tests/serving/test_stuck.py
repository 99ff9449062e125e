"""Each of our processes has a watchdog: one that stands still ends, whatever it stands still in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx
import pytest

from serving.watchdog import STUCK
from settings.urls import for_asyncpg
from tests.console.process import ServedProcess
from tests.settings.examples import ALL
from tests.webhooks.process import SERVE, ReceiverProcess
from tests.webhooks.stripe_calls import SECRET
from tests.worker.process import process
from webhooks.config import ReceiverConfig
from worker.broker import create_broker, message
from worker.queues import EVENTS

WITHIN = 30.0
# Code that shortens the patience, and makes what it is put in the place of stand still.
FREEZE = """
import asyncio, importlib, time
from serving.watchdog import Watchdog
Watchdog.__init__.__kwdefaults__["patience"] = 2
async def stands_still(*_, **__):
    time.sleep(60)
"""


def put(module: str, name: str, instead: str = "stands_still") -> str:
    """FREEZE, with `instead` for a name of a module, which may be one of a class in it."""
    owner, _, attribute = name.rpartition(".")
    place = f"importlib.import_module({module!r})" + (f".{owner}" if owner else "")
    return f"{FREEZE}\nsetattr({place}, {attribute!r}, {instead})"


def wake(redis_url: str) -> None:
    """Give a worker something to do."""
    broker = create_broker(redis_url)
    broker.enqueue(message(EVENTS, [1]))
    broker.close()


def test_a_worker_whose_loop_is_frozen_ends(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """In the middle of a message, which another one takes up."""
    wake(redis_url)
    frozen = put("worker.actors", "apply_events")
    with process("worker", tmp_path, database_url, redis_url, first=frozen) as worker:
        assert worker.until("worker.stuck")["seconds"] == 2
        assert worker.forked.wait(WITHIN) == STUCK


def test_a_worker_with_a_message_that_never_ends_ends(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """The loop is well, and one of its threads waits for ever."""
    wake(redis_url)
    forever = put("worker.actors", "apply_events", "lambda *_: asyncio.sleep(600)")
    forever += "\nimportlib.import_module('worker.at_work').OVERDUE_AFTER = -59"
    with process("worker", tmp_path, database_url, redis_url, first=forever) as worker:
        assert worker.until("worker.stuck")["why"].startswith("apply_events runs on")
        assert worker.forked.wait(WITHIN) == STUCK


@pytest.mark.parametrize("instead", ["stands_still", "lambda *_, **__: asyncio.sleep(600)"])
def test_a_scheduler_whose_tick_never_ends_ends(
    database_url: str, redis_url: str, tmp_path: Path, instead: str
) -> None:
    """Whether its loop is frozen, or only the tick waits for something that does not come."""
    stuck = put("worker.schedule", "tick", instead)
    stuck += "\nimportlib.import_module('worker.schedule').TICK_WITHIN = 1"
    with process("scheduler", tmp_path, database_url, redis_url, first=stuck) as scheduler:
        scheduler.until("scheduler.stuck")
        assert scheduler.forked.wait(WITHIN) == STUCK


def test_a_server_whose_loop_is_frozen_ends(database_url: str) -> None:
    """The API, and with it all that `serving.server` serves."""
    env = ALL | {"DATABASE_URL": database_url}
    server = ServedProcess("api", env, {}, first=put("console.access", "AccessApi.readyz"))
    with pytest.raises(httpx.TransportError):
        server.client.get("/readyz")
    assert server.popen.wait(WITHIN) == STUCK
    assert server.said("api.stuck")
    server.stop()


def test_a_receiver_whose_loop_is_frozen_ends(database_url: str) -> None:
    """It has a server of its own."""
    config = ReceiverConfig(
        database_dsn=for_asyncpg(database_url),
        queue_url="redis://127.0.0.1:9",
        secrets={"STRIPE_WEBHOOK_SECRETS": (SECRET,)},
        livemode=False,
        host="127.0.0.1",
        port=0,
        log_format="json",
    )
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as pipe:
        pipe.write(config.to_json())
    code = put("webhooks.app", "Receiver._elsewhere") + f"\n{SERVE}"
    receiver = ReceiverProcess([sys.executable, "-c", code, str(reading)], pass_fds=[reading])
    with pytest.raises(httpx.TransportError):
        receiver.client.get("/healthz")
    assert receiver.wait() == STUCK
    assert receiver.said("receiver.stuck")
