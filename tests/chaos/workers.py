"""Real `dunning worker` processes that share a world's database, Stripe and mail server, and a Redis."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox import merchant
from sandbox.runtime import clean_environment
from tests.cli.forking import ROOT, Forked
from tests.scenarios.world import World
from worker.broker import QueueNudge, create_broker
from worker.lengths import lengths
from worker.queues import Wakeup
from worker.schedule import tick

# Seconds: when a condition that is waited for counts as failed, and between two looks at it.
DEADLINE = 20.0
MOMENT = 0.01
# Seconds after which a worker is ended, whatever becomes of the test.
LONGEST = 900


class Workers:
    """Started one by one; whoever is left at the end is killed. The test itself is the scheduler."""

    def __init__(self, world: World, redis_url: str, folder: Path) -> None:
        self._world, self._folder = world, folder
        self._redis_url = redis_url
        self._running: list[Forked] = []
        self._broker = create_broker(redis_url)
        self.nudge = QueueNudge(self._broker)

    def start(self, *arguments: str) -> Forked:
        """One more worker, and wait until it takes work."""
        number = len(self._running)
        out, err = self._folder / f"{number}.out", self._folder / f"{number}.err"
        for file in (out, err):
            file.touch()
        environment = clean_environment() | dict(merchant.SETTINGS) | self._settings()
        worker = Forked(("worker", *arguments), self._folder, environment, out, err, patience=LONGEST)
        self._running.append(worker)
        until(lambda: "worker.started" in err.read_text() + out.read_text(), "a worker has started")
        return worker

    def _settings(self) -> dict[str, str]:
        world = self._world
        return {
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": world.stage.engine.url.render_as_string(hide_password=False),
            "REDIS_URL": self._redis_url,
            "SMTP_URL": world.inbox.url,
            "STRIPE_API_BASE": world.stripe.url,
            "STRIPE_API_KEY": world.stripe.api_key,
            "DUNNING_LIVEMODE": "false",
            "DUNNING_LOG_FORMAT": "json",
        }

    def wake(self, wakeup: Wakeup, ids: Sequence[int]) -> None:
        """As the receiver does for each event, and workers for each other."""
        self.nudge.send(wakeup, ids)

    def look(self) -> None:
        """One tick of a scheduler."""
        world, nudge = self._world, self.nudge

        async def once() -> None:
            full = await nudge.full()
            await tick(world.services.engine, nudge, clock=lambda: world.now, delay=0.0, full=full)

        world.run(once())

    def said(self, what: str) -> int:
        """How often they have written this into their logs."""
        return sum(log.read_text().count(what) for log in self._folder.iterdir() if log.is_file())

    def idle(self) -> bool:
        """Whether nobody has anything in hand, and nothing waits."""
        found = lengths(self._redis_url)
        return found is not None and not any(each.waiting or each.in_hand for each in found)

    def end_all(self) -> None:
        """At once, whatever they are doing."""
        for worker in self._running:
            worker.kill()
            worker.wait(DEADLINE)

    def close(self) -> None:
        self.end_all()
        self._broker.close()


@contextmanager
def workers(world: World, redis_url: str, folder: Path) -> Iterator[Workers]:
    """None yet."""
    some = Workers(world, redis_url, folder)
    try:
        yield some
    finally:
        some.close()


@contextmanager
def frozen(worker: Forked) -> Iterator[None]:
    """It does nothing while the block runs, and then goes on as if nothing had been."""
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker.pid, signal.SIGCONT)


def until(condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    """Wait for it; fails the test when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(MOMENT)
