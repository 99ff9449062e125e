"""How `dunning up` ends: with all that it has started, and never later than whoever has started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sandbox.programs import PROGRAMS
from tests.processes.tree import descendants
from tests.processes.upping import Up
from tests.sandbox.machine import alive, until

START_SECONDS = 40.0
END_SECONDS = 30.0


def all_started(log: Path) -> Callable[[], bool]:
    """Whether all five processes say so."""
    return lambda: log.exists() and log.read_text().count(".started") >= len(PROGRAMS)


def test_it_starts_again_what_ends_and_ends_all_that_it_has_started(tmp_path: Path) -> None:
    """A server that was killed comes back, as our own processes do; Ctrl-C leaves nobody, exit code 0."""
    up = Up(tmp_path, "--sandbox")
    try:
        until(all_started(up.log), START_SECONDS, "everything has started")
        (valkey,) = [pid for pid in descendants(up.pid) if is_valkey(pid)]
        os.kill(valkey, signal.SIGKILL)
        said = "Valkey had ended and was started again"
        until(lambda: said in up.log.read_text(), END_SECONDS, "Valkey is back")
        started = descendants(up.pid)
        up.send_signal(signal.SIGINT)
        assert up.wait(END_SECONDS) == 0
        assert not any(alive(pid) for pid in started)
    finally:
        up.kill()


def test_it_does_not_outlive_tests_that_were_stopped(tmp_path: Path) -> None:
    """SIGTERM to whoever has started it for a test: it stops cleanly, with all that it has started."""
    program = f"""
import pathlib, time
from tests.processes.upping import Up
print(Up(pathlib.Path({str(tmp_path)!r}), "--sandbox").pid, flush=True)
time.sleep(600)
"""
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    with starter:
        try:
            assert starter.stdout is not None
            up = int(starter.stdout.readline())
            until(all_started(tmp_path / "log"), START_SECONDS, "everything has started")
            started = descendants(up) | {up}
        finally:
            starter.terminate()
    until(lambda: not any(alive(pid) for pid in started), END_SECONDS, "everything has ended")
    assert (tmp_path / "log").read_text().splitlines()[-1].endswith("| stopped")


def is_valkey(pid: int) -> bool:
    """Whether it is the server itself and not its supervisor."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return b"valkey.sock" in command and b"supervisor.py" not in command
