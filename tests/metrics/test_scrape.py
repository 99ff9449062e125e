"""Real processes, scraped by a real Prometheus, which judges them by our rules."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import httpx
import pytest

from metrics.docs import EVERY, ROOT
from sandbox.programs import free_port
from settings.urls import for_asyncpg
from tests.cli.forking import Forked
from tests.metrics.prometheus import Prometheus, prometheus, until
from tests.settings.examples import ALL
from tests.webhooks.process import ReceiverProcess
from tests.webhooks.stripe_calls import SECRET, event, signed
from webhooks.config import ReceiverConfig

BODIES = ROOT / "tests" / "providers" / "bodies"
pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs Prometheus, which Debian's package of that name has"
)


class Process:
    """One of ours, with its metrics on any free port."""

    def __init__(self, *command: str, env: dict[str, str], folder: Path) -> None:
        self._name = command[0]
        self._log = folder / f"{command[0]}.log"
        self._log.touch()
        self._forked = Forked(command, ROOT, env, Path(os.devnull), self._log)

    @property
    def port(self) -> int:
        """Where it tells its metrics, once it says so."""
        return self._told("metrics.started")

    @property
    def address(self) -> str:
        """Where it answers, once it says so."""
        return f"http://127.0.0.1:{self._told(f'{self._name}.started')}"

    def kill(self) -> None:
        """At once."""
        self._forked.kill()
        self._forked.wait(10)

    def _told(self, event: str) -> int:
        until(lambda: self._said(event) or self._forked.poll() is not None)
        [line] = self._said(event)
        return int(line["port"])

    def _said(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._log.read_text().splitlines() if event in line]
        return [line for line in lines if line["event"] == event]


class Town:
    """A receiver, a worker, a scheduler and an API beside each other."""

    def __init__(self, database_url: str, redis_url: str, folder: Path, **settings: str) -> None:
        env = (
            ALL
            | settings
            | {
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "STRIPE_API_BASE": "http://127.0.0.1:9",  # nobody answers there
                "DUNNING_METRICS_PORT": "0",
                "DUNNING_LOG_FORMAT": "json",
            }
        )
        self._dsn = for_asyncpg(database_url)
        self._env, self._folder = env, folder
        config = ReceiverConfig(
            self._dsn, redis_url, {"STRIPE_WEBHOOK_SECRETS": (SECRET,)}, livemode=False, host="127.0.0.1",
            port=0, metrics_port=0, log_format="json",
        )  # fmt: skip
        self.processes = {
            "worker": Process("worker", "--threads", "1", env=env, folder=folder),
            "api": Process("api", "--port", "0", env=env, folder=folder),
        }
        self.receiver = ReceiverProcess.serve(config)

    def start_scheduler(self) -> None:
        """When it starts, it reads what there is."""
        self.processes["scheduler"] = Process("scheduler", env=self._env, folder=self._folder)

    @property
    def ports(self) -> dict[str, int]:
        """Where each of them is scraped."""
        [told] = self.receiver.said("metrics.started")
        return {"receiver": int(told["port"])} | {name: each.port for name, each in self.processes.items()}

    def listens(self, name: str) -> str:
        """The address of one that answers requests."""
        return self.processes[name].address

    def count(self, statement: str) -> int:
        """Ask the database."""

        async def ask() -> int:
            connection = await asyncpg.connect(self._dsn)
            try:
                return int(await connection.fetchval(statement))
            finally:
                await connection.close()

        return asyncio.run(ask())

    def stop(self) -> None:
        """All of them."""
        self.receiver.stop()
        for process in self.processes.values():
            process.kill()


@pytest.fixture
def town(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Town]:
    """Everybody but the scheduler."""
    started = Town(database_url, redis_url, tmp_path)
    yield started
    started.stop()


def test_a_real_scrape_tells_what_is_wrong_and_nothing_else(town: Town, tmp_path: Path) -> None:
    """An event that cannot be read is given up, the breaker is tripped, and a process is missing.

    Everything else is well, and each metric that we know is told by somebody.
    """
    seen = json.dumps(json.loads((BODIES / "customer_updated.endive.json").read_text())).encode()
    unreadable = event("evt_unreadable", data={"object": "nonsense"})
    for body in (seen, unreadable, unreadable):
        assert town.receiver.post(body, signed(body)).status_code == 200
    assert town.receiver.post(b"{}", signed(seen)).status_code == 400
    town.count("WITH tripped AS (INSERT INTO breaker (reason) VALUES ('too much') RETURNING 1) SELECT 1")
    until(lambda: town.count("SELECT count(*) FROM inbox WHERE status IN ('done', 'dead')") == 2)
    town.start_scheduler()
    ports = town.ports
    assert httpx.get(f"http://127.0.0.1:{town.receiver.port}/metrics", trust_env=False).status_code == 404
    until(lambda: declared(ports) == {family.name for family in EVERY})
    with prometheus(tmp_path, ports | {"gone": free_port()}) as running:
        wrong = {
            "DunningEventsDead": "firing",
            "DunningBreakerTripped": "firing",
            "DunningProcessDown": "pending",
        }
        until(lambda: running.alerts() == wrong)
        until(lambda: scrapes(running, 4))
        assert running.alerts() == wrong
        webhooks = running.ask("dunning_webhooks_total > 0")
        assert webhooks == {"accepted": 2, "duplicate": 1}
        assert running.ask("dunning_webhooks_rejected_total") == {"signature.signature": 1}
        assert running.ask("dunning_processes_alive")["worker"] == 1
        assert running.ask('dunning_queue_messages_total{queue="events"}')["done events"] >= 1
        assert running.ask("dunning_inbox_events") == {"pending": 0, "dead": 1}


def declared(ports: dict[str, int]) -> set[str]:
    """The name of every metric of ours that some process declares."""
    pages = [httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text for port in ports.values()]
    declarations = [
        line for page in pages for line in page.splitlines() if line.startswith("# TYPE dunning_")
    ]
    return {line.split()[2] for line in declarations}


def scrapes(running: Prometheus, wanted: int) -> bool:
    """Whether each living process was scraped so often."""
    times = running.ask("min(count_over_time(up[1m]))")
    return all(count >= wanted for count in times.values())
