"""The real receiver in a process of its own, as `dunning receiver` leaves it running."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from tests.webhooks.stripe_calls import event, signed
from webhooks.config import ReceiverConfig

# As the command does once it has its configuration; this comes from a file descriptor.
SERVE = (
    "import os, sys; from webhooks.config import ReceiverConfig; from webhooks.server import serve;"
    "sys.exit(serve(ReceiverConfig.from_json(os.fdopen(int(sys.argv[1])).read())))"
)
DEADLINE = 20.0  # seconds to wait for anything before a test fails


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Return when `condition` holds; fail with `what` when it does not within the deadline."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.01)


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """The processes are stopped while the block runs: connections stay open and nothing answers."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            # A backend of PostgreSQL may be gone before its turn: its server goes on first.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class ReceiverProcess:
    """One receiver, its log lines and its address."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        """Run `command` and wait until it says where it listens."""
        self.log: list[dict[str, Any]] = []
        self.popen = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_until(lambda: self.said("receiver.started") or self.popen.poll() is not None, "a start")
        assert self.said("receiver.started"), self.log
        (started,) = self.said("receiver.started")
        self.port = int(started["port"])
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            timeout=DEADLINE,
            trust_env=False,
            # Many threads share this client, and httpx may close an idle connection that a thread just took.
            limits=httpx.Limits(max_keepalive_connections=None, keepalive_expiry=None),
        )

    @classmethod
    def serve(cls, config: ReceiverConfig) -> "ReceiverProcess":
        """A process that serves with this configuration, handed over through a pipe."""
        reading, writing = os.pipe()
        with os.fdopen(writing, "w") as pipe:
            pipe.write(config.to_json())
        try:
            return cls([sys.executable, "-P", "-c", SERVE, str(reading)], pass_fds=[reading])
        finally:
            os.close(reading)

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log lines of this event so far."""
        return [line for line in self.log if line["event"] == event]

    def post(self, body: bytes, headers: dict[str, Any] | None = None) -> httpx.Response:
        """Deliver a body as it is."""
        return self.client.post("/webhooks/stripe", content=body, headers=headers)

    def deliver(self, event_id: str) -> int:
        """Post one genuine event; the status of the answer."""
        body = event(event_id)
        return self.post(body, signed(body)).status_code

    def figures(self) -> dict[str, Any]:
        """The counters, as /readyz shows them."""
        shown: dict[str, Any] = self.client.get("/readyz").json()["counters"]
        return shown

    def state(self) -> dict[str, Any]:
        """All of /readyz."""
        shown: dict[str, Any] = self.client.get("/readyz").json()
        return shown

    def stop(self) -> int:
        """Ask it to stop; its exit code once it has, and all of its log is read."""
        self.client.close()
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """The exit code once it has ended, and all of its log is read."""
        code = self.popen.wait(DEADLINE)
        self._reader.join(DEADLINE)
        return code

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            self.log.append(json.loads(line))
