"""`dunning worker` or `dunning scheduler` in a process of its own, forked to be sooner there."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.forking import ROOT, Forked
from tests.sandbox.machine import until
from tests.settings.examples import ALL

PATIENCE = 30.0


class Process:
    """One that runs, and what it has logged."""

    def __init__(self, name: str, folder: Path, env: dict[str, str], first: str) -> None:
        """Start it; see `Forked` for `first`."""
        self.name = name
        self._log = folder / f"{name}.log"
        self.forked = Forked([name], folder, env, folder / f"{name}.out", self._log, first=first)

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log lines of this event so far."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [line for line in map(read, lines) if line.get("event") == event]

    def until(self, event: str) -> dict[str, Any]:
        """The first line of this event, when it is there."""
        until(
            lambda: bool(self.said(event)) or self.forked.poll() is not None,
            PATIENCE,
            f"{self.name}: {event}",
        )
        assert self.said(event), self._log.read_text()
        return self.said(event)[0]

    def stop(self) -> tuple[int, float]:
        """Ask it to stop; its exit code, and after how many seconds it had ended."""
        began = time.monotonic()
        self.forked.send_signal(signal.SIGTERM)
        code = self.forked.wait(PATIENCE)
        return code, time.monotonic() - began


def read(line: str) -> dict[str, Any]:
    """A line of a log; one of a traceback is no event."""
    return json.loads(line) if line.startswith("{") else {}


@contextmanager
def process(
    name: str, folder: Path, database_url: str, redis_url: str, *, first: str = "", **settings: str
) -> Iterator[Process]:
    """A process that ends with the block."""
    env = {
        variable: os.environ[variable] for variable in ("PATH", "HOME", "TMPDIR") if variable in os.environ
    }
    env |= ALL | {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "STRIPE_API_KEY": "sk_test_0123456789abcdef",
        "DUNNING_LOG_FORMAT": "json",
        **settings,
    }
    started = Process(name, folder, env, first)
    try:
        yield started
    finally:
        started.forked.kill()
        started.forked.wait(PATIENCE)
