"""`dunning api` in a process of its own, forked to be sooner there, and requests to it over real HTTP."""

import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.cli.forking import ROOT, Forked

DEADLINE = 20.0  # seconds to wait for anything before a test fails
LONGEST = 600  # seconds that one such process may run


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return when `condition` holds; fail with `what` when it does not within the deadline."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.01)


class ServedProcess:
    """One of our processes that takes requests, its log, and a client to it."""

    def __init__(
        self,
        name: str,
        env: Mapping[str, str],
        headers: Mapping[str, str],
        port: int = 0,
        *,
        first: str = "",
    ) -> None:
        """Start `dunning <name>` in this environment alone, and wait until it says where it listens.

        `first`: see `Forked`.
        """
        self.lines: list[str] = []
        self._folder = tempfile.TemporaryDirectory()
        self._err = Path(self._folder.name, "err")
        os.mkfifo(self._err)
        self.popen = Forked(
            [name, "--port", str(port)],
            ROOT,
            {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DUNNING_LOG_FORMAT": "json", **env},
            Path(os.devnull),
            self._err,
            patience=LONGEST,
            first=first,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        started = f"{name}.started"
        wait_until(lambda: bool(self.said(started)) or self.popen.poll() is not None, "a start")
        assert self.said(started), self.lines
        self.port = int(self.said(started)[0]["port"])
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=DEADLINE, trust_env=False
        )

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its log so far. A traceback at the start is no JSON, and each line of it an event."""
        return [json.loads(line) if line.startswith("{") else {"event": line} for line in self.lines]

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log lines of this event so far."""
        return [line for line in self.log if line["event"] == event]

    def stop(self) -> int:
        """Ask it to stop; its exit code once it has, and all of its log is read."""
        self.client.close()
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        code = self.popen.wait(DEADLINE)
        self._reader.join(DEADLINE)
        self._folder.cleanup()
        return code

    def _read(self) -> None:
        with self._err.open(encoding="utf-8") as log:
            for line in log:
                self.lines.append(line)


class ApiProcess(ServedProcess):
    """One running API, and a client with its first key."""

    def __init__(self, database_url: str, keys: Sequence[str], **settings: str) -> None:
        """Start it with these settings."""
        env = {
            "DATABASE_URL": database_url,
            "DUNNING_API_KEYS": ",".join(keys),
            "DUNNING_LIVEMODE": "false",
            **settings,
        }
        super().__init__("api", env, {"Authorization": f"Bearer {keys[0]}"})

    def access(self, customer: str, **headers: str) -> httpx.Response:
        """Ask about a customer; header names are given with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(f"/v1/access/{customer}", headers=named)

    def banner(self, customer: str, **headers: str) -> httpx.Response:
        """Ask what to show a customer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(f"/v1/banner/{customer}", headers=named)
