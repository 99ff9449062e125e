"""How our processes end: cleanly when they are asked to, and never later than whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo.stage import stage
from sandbox.demo.story import Story
from sandbox.programs import PROGRAMS
from tests.processes.subscribed import settled, subscribed
from tests.processes.tree import descendants
from tests.sandbox.machine import alive, until

START_SECONDS = 40.0
END_SECONDS = 30.0


def test_each_process_stops_cleanly_on_sigterm(tmp_path: Path) -> None:
    """With work behind it and idle connections open, each ends with 0, and says so in its log."""
    with stage(tmp_path / "stage", seed=1) as scene:
        subscribed(scene, Story(title="", name="Ada", email="ada@customer.example"))
        assert scene.processes.stop_all() == dict.fromkeys(PROGRAMS, 0)
        assert settled(scene)
    said = {name: (scene.logs / f"{name}.log").read_text().splitlines()[-1] for name in PROGRAMS}
    assert all(".stopped" in line for line in said.values()), said


@pytest.fixture
def up(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`dunning up --sandbox` with everything started."""
    command = [sys.executable, "-P", "-m", "cli", "up", "--sandbox"]
    with (tmp_path / "log").open("w") as log:
        program = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, env=bare_environment())
    try:
        until(lambda: all_started(tmp_path / "log"), START_SECONDS, "everything has started")
        yield program
    finally:
        program.kill()
        program.wait()


def bare_environment() -> dict[str, str]:
    """No setting of whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "LANG")}


def all_started(log: Path) -> bool:
    """Whether all five processes say so."""
    return log.read_text().count(".started") >= len(PROGRAMS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_stops_everything_when_it_is_asked_to(up: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Exit code 0, and of the servers and processes nothing is left."""
    started = descendants(up.pid)
    assert len(started) >= 2 * (len(PROGRAMS) + 2)  # each of ours and both servers, with a supervisor
    up.send_signal(number)
    assert up.wait(END_SECONDS) == 0
    assert not any(alive(pid) for pid in started)


def test_nothing_survives_when_up_is_killed(up: subprocess.Popen[bytes]) -> None:
    """After kill -9 there is nobody left to stop anything, and yet everything ends."""
    started = descendants(up.pid)
    up.kill()
    until(lambda: not any(alive(pid) for pid in started), END_SECONDS, "everything has ended")


def test_a_server_that_is_killed_comes_back(up: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """`dunning up` starts an embedded server again, as it does our own processes."""
    (valkey,) = [pid for pid in descendants(up.pid) if is_valkey(pid)]
    os.kill(valkey, signal.SIGKILL)
    said = "Valkey had ended and was started again"
    until(lambda: said in (tmp_path / "log").read_text(), END_SECONDS, "Valkey is back")


def is_valkey(pid: int) -> bool:
    """Whether it is the server itself and not its supervisor."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return b"valkey.sock" in command and b"supervisor.py" not in command
