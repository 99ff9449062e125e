"""`dunning worker`, `scheduler`, `api` and `status` as real processes beside each other."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest

from outbound.signing import new_secret
from sandbox.inbox import Inbox
from settings.urls import for_asyncpg
from tests.cli.forking import ROOT, Forked, dunning
from tests.settings.examples import ALL
from worker.queues import WAKEUPS

DEADLINE = 20.0  # seconds


@pytest.fixture
def env(database_url: str, redis_url: str) -> dict[str, str]:
    """Complete settings on the test's servers."""
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DUNNING_LOG_FORMAT": "json"}
    return ALL | kept | {"DATABASE_URL": database_url, "REDIS_URL": redis_url}


@dataclass(frozen=True, slots=True)
class Running:
    """A process, and the file that it logs to."""

    forked: Forked
    log: Path

    def events(self) -> list[dict[str, Any]]:
        """Its log so far."""
        lines = self.log.read_text().splitlines(keepends=True) if self.log.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]


Start = Callable[..., Running]


@pytest.fixture
def start(env: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start a `dunning` process; whatever the test leaves running is killed."""
    started: list[Running] = []

    def run(*arguments: str) -> Running:
        log = tmp_path / f"{len(started)}.log"
        started.append(Running(Forked(arguments, tmp_path, env, Path(os.devnull), log), log))
        return started[-1]

    yield run
    for each in started:
        each.forked.kill()
        each.forked.wait(DEADLINE)


@pytest.fixture
def status(env: dict[str, str], tmp_path: Path) -> Callable[[], tuple[int, dict[str, Any]]]:
    """The exit code of `dunning status --json`, and what it says."""

    def look() -> tuple[int, dict[str, Any]]:
        done = dunning("status", "--json", cwd=tmp_path, **env)
        return done.returncode, json.loads(done.stdout)

    return look


def wrongs(said: dict[str, Any]) -> list[str]:
    """What is wrong, by the status."""
    return [problem["wrong"] for problem in said["problems"]]


def test_status_knows_who_is_alive_and_who_is_missing(
    start: Start, status: Callable[[], tuple[int, dict[str, Any]]], env: dict[str, str], tmp_path: Path
) -> None:
    """Nobody, then a worker for some queues, then everybody; and a clean stop ends with exit code 0."""
    code, said = status()
    assert (code, wrongs(said)) == (1, ["No worker is alive.", "No scheduler is alive."])
    env |= {"DUNNING_WEBHOOK_ENDPOINTS": f"https://app.acme.example/hooks {new_secret()}"}
    some, scheduler = start("worker", "--queues", "events,cases", "--threads", "2"), start("scheduler")
    wait_until(lambda: len(status()[1]["processes"]) == 2)
    code, said = status()
    assert (code, wrongs(said)) == (1, ["No worker serves mail,team,billing,webhooks."])
    rest = start("worker", "--queues", "mail,team,billing,webhooks", "--threads", "1")
    wait_until(lambda: status()[0] == 0)
    code, said = status()
    assert (said["ok"], said["inbox"]["pending"], said["cases"]["open"]) == (True, 0, 0)
    assert {queue["queue"] for queue in said["queues"]} == {wakeup.queue for wakeup in WAKEUPS}
    shown = dunning("status", cwd=tmp_path, **env)
    assert shown.returncode == 0
    runs = json.loads(dunning("reconcile", "--list", "--json", cwd=tmp_path, **env).stdout)["runs"]
    assert {run["source"] for run in runs.values()} == {"stripe"}  # which workers have a key of
    [endpoint] = json.loads(dunning("webhooks", "list", "--json", cwd=tmp_path, **env).stdout)
    assert (endpoint["url"], endpoint["from_settings"]) == ("https://app.acme.example/hooks", True)
    assert "All is well." in shown.stdout
    assert "\x1b" not in shown.stdout
    for process in (some, scheduler, rest):
        process.forked.send_signal(signal.SIGTERM)
    for process in (some, scheduler, rest):
        assert process.forked.wait(DEADLINE) == 0, process.log.read_text()
        events = [line["event"] for line in process.events()]
        assert events[0].endswith(".started")
        assert events[-1].endswith(".stopped")
    assert wrongs(status()[1]) == ["No worker is alive.", "No scheduler is alive."]


SURGE = """
    INSERT INTO customers (source, ref) VALUES ('stripe', 'cus_1');
    INSERT INTO charges (customer_id, ref, invoice, at)
    SELECT customers.id, 'ch_' || number, 'in_1', now() FROM customers, generate_series(1, 21) AS number;
"""


def test_schedulers_trip_the_breaker_and_a_worker_calls_the_team(
    start: Start,
    status: Callable[[], tuple[int, dict[str, Any]]],
    env: dict[str, str],
    database_url: str,
    inbox: Inbox,
) -> None:
    """21 charges failed in an hour: two schedulers write it down once, and the team has one mail."""
    env |= {"SMTP_URL": inbox.url, "DUNNING_TEAM_EMAIL": "team@acme.example"}

    async def fail() -> None:
        connection = await asyncpg.connect(for_asyncpg(database_url))
        await connection.execute(SURGE)
        await connection.close()

    asyncio.run(fail())
    for arguments in (("worker", "--queues", "team", "--threads", "1"), ("scheduler",), ("scheduler",)):
        start(*arguments)
    wait_until(lambda: bool(inbox.messages))
    code, said = status()
    assert (code, said["tripped"]["by"]) == (1, None)
    assert said["tripped"]["reason"].startswith("21 charges failed within an hour")
    [mail] = inbox.messages
    assert mail.recipients == ("team@acme.example",)


def test_status_says_when_redis_is_away(env: dict[str, str], tmp_path: Path) -> None:
    """Named as a problem when a URL is set, and not asked for without one."""
    away = env | {"REDIS_URL": f"unix://{tmp_path}/nowhere.sock"}
    done = dunning("status", "--json", cwd=tmp_path, **away)
    said = json.loads(done.stdout)
    assert (done.returncode, said["queues"]) == (1, None)
    assert "Redis does not answer." in wrongs(said)
    without = {name: value for name, value in env.items() if name != "REDIS_URL"}
    assert "Redis does not answer." not in wrongs(
        json.loads(dunning("status", "--json", cwd=tmp_path, **without).stdout)
    )


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("worker", "--queues", "events,nope"), "DUNNING_WORKER_QUEUES"),
        (("worker", "--threads", "0"), "DUNNING_WORKER_THREADS"),
        (("scheduler", "--tick", "-1"), "DUNNING_TICK_SECONDS"),
        (("api", "--port", "70000"), "DUNNING_API_PORT"),
    ],
    ids=str,
)
def test_a_wrong_option_is_told_like_a_wrong_setting(
    arguments: tuple[str, ...], name: str, env: dict[str, str], tmp_path: Path
) -> None:
    """Exit code 2 with the setting's name and the cure; nothing is started."""
    done = dunning(*arguments, cwd=tmp_path, **env)
    assert done.returncode == 2
    assert name in done.stderr
    assert "1 setting needs attention" in done.stderr


def test_an_address_in_use_is_told(start: Start, env: dict[str, str], tmp_path: Path) -> None:
    """The API exits with 1 and says where it cannot listen."""
    first = start("api", "--port", "0")
    wait_until(lambda: bool(first.events()))
    second = dunning("api", "--port", str(first.events()[0]["port"]), cwd=tmp_path, **env)
    assert second.returncode == 1
    assert json.loads(second.stderr)["event"] == "api.cannot_listen"


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when `condition` holds, or fail."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
