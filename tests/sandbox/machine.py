"""What the tests of the servers ask the machine itself: its processes, and conditions that come true."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.supervised import Supervised


def permits_namespaces() -> bool:
    """Whether root may make a user namespace here; in most containers it may not."""
    probe = Supervised(["true"], output=subprocess.DEVNULL, become="namespace")
    return os.geteuid() == 0 and probe.wait(10) == 0


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until the condition holds; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def processes_of(directory: Path) -> list[int]:
    """Processes that name the directory on their command line or work in it; zombies do neither."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            works_in = os.readlink(entry / "cwd")
        except OSError:  # it ended, or belongs to somebody else
            continue
        if os.fsencode(directory) in command or Path(works_in).is_relative_to(directory):
            found.append(int(entry.name))
    return found
