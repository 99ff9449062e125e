"""Receiver, worker and scheduler as real processes on servers that faults happen to, and what came of it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import quantiles
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import httpx

from benchmarks.world.accounts import subscription_updates
from db.connecting import connect
from db.intake import Intake, Row
from providers.stripe.webhook import envelope
from settings.urls import for_asyncpg
from tests.cli.forking import ROOT, Forked
from tests.sandbox.machine import until
from tests.settings.examples import ALL
from tests.webhooks.process import ReceiverProcess
from tests.webhooks.stripe_calls import SECRET, signed
from webhooks.config import ReceiverConfig
from worker.queues import is_rabbit

PATIENCE = 60.0  # seconds for everything to be done after a fault
LONGEST = 900  # seconds that a process may run
LOOK = 0.25  # seconds between two looks at the tables
HELD = 0.5  # seconds after which nobody holds a row any more whose connection has ended
EVENTS = 3_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a delivery was answered; `status` 0: nothing at all."""

    event: str
    status: int
    seconds: float


class House:
    """Three processes, every answer that was given, and the tables."""

    def __init__(self, database_url: str, queue_url: str, folder: Path, *, hurry: bool) -> None:
        """Start them; each writes its log into `folder`. `queue_url` is a Redis or a RabbitMQ.

        With `hurry`, what lost its wake-up is not left alone for ten seconds before the scheduler looks.
        """
        self.dsn = for_asyncpg(database_url)
        self._hurry = hurry
        self.answers: list[Answer] = []
        self._bodies = {f"evt_bench_{n:012}": body for n, body in enumerate(subscription_updates(EVENTS))}
        self._unsent = iter(self._bodies)
        self._folder = folder
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            **ALL,
            "DATABASE_URL": database_url,
            "REDIS_URL": "" if is_rabbit(queue_url) else queue_url,
            "BROKER_URL": queue_url if is_rabbit(queue_url) else "",
            "STRIPE_API_KEY": "sk_test_0123456789abcdef",
            "DUNNING_TICK_SECONDS": "0.25",
            "DUNNING_SWEEP_DELAY_SECONDS": "1",
            "DUNNING_LOG_FORMAT": "json",
            # Milliseconds from a lost connection to the next one; 3,000 by default.
            "dramatiq_restart_delay": "300" if hurry else "3000",
        }
        self._runner = asyncio.Runner()
        self.receiver = ReceiverProcess.serve(
            ReceiverConfig(
                database_dsn=self.dsn,
                queue_url=queue_url,
                secrets={"STRIPE_WEBHOOK_SECRETS": (SECRET,)},
                livemode=False,
                host="127.0.0.1",
                port=0,
                log_format="json",
            )
        )
        self.running = {name: self.start(name) for name in ("worker", "scheduler")}

    def start(self, name: str) -> Forked:
        process = Forked(
            [name], ROOT, self._env, Path(os.devnull), self._folder / f"{name}.log", patience=LONGEST
        )
        until(lambda: self.said(name, f"{name}.started"), 30, f"{name} starts")
        return process

    def said(self, name: str, event: str) -> int:
        """How often a process has logged this."""
        log = self._folder / f"{name}.log"
        return log.read_text().count(f'"event": "{event}"') if log.exists() else 0

    # playing Stripe

    def deliver(self, number: int, *, pace: float = 0.0) -> list[Answer]:
        """So many new events, one after the other, `pace` seconds between their starts."""
        answers = []
        for _ in range(number):
            began = time.monotonic()
            answers.append(self._post(next(self._unsent)))
            time.sleep(max(0.0, began + pace - time.monotonic()))
        return answers

    def deliver_at_once(self, number: int) -> list[Answer]:
        """So many new events, eight at a time."""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(self._post, [next(self._unsent) for _ in range(number)]))

    def _post(self, event: str) -> Answer:
        body = self._bodies[event].encode()
        began = time.monotonic()
        try:
            status = self.receiver.post(body, signed(body)).status_code
        except httpx.TransportError:
            status = 0
        answer = Answer(event, status, time.monotonic() - began)
        self.answers.append(answer)
        return answer

    def store(self, number: int) -> list[int]:
        """So many new events, stored as the receiver does it, telling nobody; the ids of their rows."""
        new = [next(self._unsent) for _ in range(number)]
        self.answers += [Answer(event, 200, 0.0) for event in new]

        async def insert() -> list[int]:
            intake = Intake(self.dsn)
            stored = await intake.insert([_row(self._bodies[event].encode()) for event in new])
            intake.drop()
            return sorted(stored.values())

        return self._runner.run(insert())

    def retry(self) -> None:
        """Send again, as Stripe does, whatever has not been answered with 200."""
        for tried in count(1):
            missing = {answer.event for answer in self.answers} - self.acknowledged
            if not missing:
                return
            assert tried < 200, f"never acknowledged: {sorted(missing)[:3]}"
            for event in sorted(missing):
                self._post(event)

    @property
    def acknowledged(self) -> set[str]:
        return {answer.event for answer in self.answers if answer.status == 200}

    # what came of it

    def rows(self, statement: str) -> list[Any]:
        """The answer of the database."""

        async def ask() -> list[Any]:
            connection = await connect(self.dsn, timeout=5)
            try:
                return list(await connection.fetch(statement))
            finally:
                await connection.close()

        return self._runner.run(ask())

    def applied(self) -> dict[str, int]:
        """How often each event was."""
        statement = """
            SELECT data->>'event' AS event, count(*) AS times FROM journal
            WHERE kind = 'event.applied' GROUP BY 1
        """
        return {row["event"]: row["times"] for row in self.rows(statement)}

    def settle(self, within: float = PATIENCE) -> dict[str, Any]:
        """Wait until nothing is to be done any more, and count; every process must have lived through it.

        Fails after so many seconds.
        """
        began = time.monotonic()
        self.retry()
        if self._hurry:
            # What a fault took out of somebody's hands. Once: each time costs it one of its few tries.
            time.sleep(HELD)
            self.hurry("attempts > 0")
        while not self._settled():
            assert time.monotonic() < began + within, self.rows(
                "SELECT * FROM inbox WHERE status = 'pending'"
            )
            time.sleep(LOOK)
        took = time.monotonic() - began
        applied = self.applied()
        stored = {row["event_id"] for row in self.rows("SELECT event_id FROM inbox")}
        dead = self.rows("SELECT event_id, last_error FROM inbox WHERE status = 'dead'")
        assert not dead
        assert [name for name, process in self.running.items() if process.poll() is not None] == []
        return {
            "acknowledged": len(self.acknowledged),
            "refused": sum(answer.status != 200 for answer in self.answers),
            "lost": len(self.acknowledged - stored) + len(self.acknowledged - applied.keys()),
            "applied_twice": sum(times > 1 for times in applied.values()),
            "settle_seconds": round(took, 1),
        }

    def hurry(self, which: str = "attempts = 0") -> None:
        """Make these rows of the inbox due now."""
        self.rows(
            f"UPDATE inbox SET due_at = now() WHERE status = 'pending' AND {which}"  # noqa: S608  # our own words
        )

    def _settled(self) -> bool:
        try:
            if self._hurry:
                self.hurry("attempts = 0")
            return not self.rows("SELECT 1 FROM inbox WHERE status = 'pending' LIMIT 1")
        except (OSError, asyncpg.PostgresError):
            return False

    def close(self) -> None:
        """Stop all of them."""
        self.receiver.stop()
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            process.wait(30)
        self._runner.close()


def _row(body: bytes) -> Row:
    seen = envelope(body)
    return Row("stripe", seen.event_id, seen.type, False, seen.created_at, "pending", None, body)


@contextmanager
def house(database_url: str, queue_url: str, folder: Path, *, hurry: bool) -> Iterator[House]:
    """The three of them while the block runs."""
    built = House(database_url, queue_url, folder, hurry=hurry)
    try:
        yield built
    finally:
        built.close()


def p99(answers: Iterable[Answer]) -> float:
    """Milliseconds within which 99 of 100 were answered."""
    return round(quantiles([answer.seconds * 1000 for answer in answers], n=100)[98], 1)


def nothing_is_lost_or_doubled(figures: dict[str, Any]) -> None:
    """The promise."""
    assert (figures["lost"], figures["applied_twice"]) == (0, 0), figures


def statuses(answers: Sequence[Answer]) -> set[int]:
    """Those that were given."""
    return {answer.status for answer in answers}
