"""A database that does not answer is no reason for a worker to end in the middle of what it does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.machine import until
from tests.settings.examples import ALL


@pytest.fixture
def silence() -> Iterator[int]:
    """A port that takes connections and never says a word, as behind a firewall or a frozen host."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_a_database_that_never_answers_is_a_missed_heartbeat(
    silence: int, redis_url: str, tmp_path: Path
) -> None:
    """The connection times out: the event loop is well, so the worker stays, says so and stops cleanly."""
    env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    env |= ALL | {
        "DATABASE_URL": f"postgresql://dunning@127.0.0.1:{silence}/dunning",
        "REDIS_URL": redis_url,
        "STRIPE_API_KEY": "sk_test_0123456789abcdef",
        "DUNNING_LOG_FORMAT": "json",
    }
    log = tmp_path / "log"
    with log.open("w") as out:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli", "worker"], cwd=tmp_path, env=env, stdout=out, stderr=out
        )
    try:
        until(lambda: "heartbeat.missed" in log.read_text() or worker.poll() is not None, 30, "a missed beat")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0, log.read_text()
    finally:
        worker.kill()
        worker.wait()
    assert "worker.stuck" not in log.read_text()
