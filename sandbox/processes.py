"""Run our own programs side by side, as a terminal or a service manager would.

    processes = Processes(prefixed(sys.stderr))
    processes.start("receiver", ["dunning", "receiver"], restart=True)
    processes.run()  # until SIGINT or SIGTERM, then stops them all

Each program has a supervisor, so that none outlives this process, not even by `kill -9`; Ctrl-C reaches this
process alone, which then sends SIGTERM to each program and not to what the program itself has started.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TextIO

from sandbox.supervised import Supervised

Output = Callable[[str, str], None]  # the program's name, and a line without its end

# Ours end by themselves after 22.
STOP_SECONDS = 24.0
_ORPHAN_GRACE_SECONDS = 5.0
_FIRST_BACK_OFF_SECONDS = 0.5
_LONGEST_BACK_OFF_SECONDS = 30.0
_STABLE_SECONDS = 30.0  # after this long a crash is the first one again
_POLL_SECONDS = 0.1
_DRAIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Exited:
    """A program that ended unasked; `code` is 128 + n for signal n, 125 when it could not be started."""

    name: str
    pid: int
    code: int
    restart_seconds: float | None  # until it is started again; None: it is not


@dataclass(frozen=True, slots=True)
class _Recipe:
    name: str
    argv: tuple[str, ...]
    env: dict[str, str] | None
    cwd: Path | None
    restart: bool
    back_off: float = _FIRST_BACK_OFF_SECONDS


class Process:
    """One running program."""

    def __init__(self, recipe: _Recipe, output: Output) -> None:
        """Start it; `output` is called with each line it writes, from a thread."""
        self.name = recipe.name
        self.recipe = recipe
        self.started_at = time.monotonic()
        self._supervised = Supervised(
            recipe.argv,
            output=subprocess.PIPE,
            grace_seconds=_ORPHAN_GRACE_SECONDS,
            # Without this variable Python keeps lines back until it has a few kilobytes of them.
            env={**(os.environ if recipe.env is None else recipe.env), "PYTHONUNBUFFERED": "1"},
            cwd=recipe.cwd,
        )
        self._reader = threading.Thread(
            target=_read, args=(self.name, self._supervised.output, output), name=f"output-{self.name}"
        )
        self._reader.daemon = True
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of the program itself."""
        return self._supervised.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._supervised.poll()

    def request_stop(self, grace_seconds: float) -> None:
        """SIGTERM now, SIGKILL after `grace_seconds`; does not wait."""
        self._supervised.request_stop(grace_seconds)

    def stop(self, grace_seconds: float = STOP_SECONDS) -> int:
        """Stop it and answer its exit code."""
        code = self._supervised.stop(grace_seconds)
        self._reader.join(_DRAIN_SECONDS)
        return code

    def kill(self) -> None:
        """SIGKILL, as a crash would; what it had started ends with it."""
        self._supervised.kill()
        self._reader.join(_DRAIN_SECONDS)


class Processes:
    """The programs that run now; use it from one thread that lives as long as they shall."""

    def __init__(self, output: Output) -> None:
        """Give every line of every program to `output`; one call at a time."""
        lock = threading.Lock()

        def one_at_a_time(name: str, line: str) -> None:
            with lock:
                output(name, line)

        self._output: Output = one_at_a_time
        self._running: list[Process] = []
        self._waiting: list[tuple[float, _Recipe]] = []

    def start(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        *,
        cwd: Path | None = None,
        restart: bool = False,
    ) -> Process:
        """Start a program.

        Args:
            env: its whole environment; None is ours.
            restart: start it again when it ends by itself: after 0.5 s, then 1 s, 2 s, up to 30 s.
        """
        return self._start(_Recipe(name, tuple(argv), None if env is None else dict(env), cwd, restart))

    def names(self) -> list[str]:
        """The names of all programs that run now."""
        return [process.name for process in self._running]

    def named(self, name: str) -> Process:
        """The program of this name that runs now; LookupError while none does."""
        found = next((process for process in self._running if process.name == name), None)
        if found is None:
            raise LookupError(f"{name} is not running")
        return found

    def poll(self) -> list[Exited]:
        """Start again what is due, and answer which programs have ended since the last call."""
        now = time.monotonic()
        due = [recipe for moment, recipe in self._waiting if moment <= now]
        self._waiting = [(moment, recipe) for moment, recipe in self._waiting if moment > now]
        for recipe in due:
            self._start(recipe)
        return [self._ended(process, now) for process in list(self._running) if process.poll() is not None]

    def run(
        self,
        on_exit: Callable[[Exited], None] | None = None,
        on_poll: Callable[[], None] | None = None,
        grace_seconds: float = STOP_SECONDS,
    ) -> None:
        """Keep them running until SIGINT or SIGTERM, then stop them all; main thread only.

        `on_exit` hears of each that ends by itself, `on_poll` is called ten times a second. Returns early
        when nothing runs any more and nothing is to be restarted.
        """
        asked: list[int] = []
        ends = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, lambda number, _: asked.append(number)) for number in ends}
        try:
            while not asked and (self._running or self._waiting):
                for exited in self.poll():
                    if on_exit is not None:
                        on_exit(exited)
                if on_poll is not None:
                    on_poll()
                time.sleep(_POLL_SECONDS)
            self.stop_all(grace_seconds)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop_all(self, grace_seconds: float = STOP_SECONDS) -> dict[str, int]:
        """SIGTERM to each at once, SIGKILL to those that take longer; answers the exit codes by name."""
        self._waiting.clear()
        stopping, self._running = self._running, []
        for process in stopping:
            if process.poll() is None:
                process.request_stop(grace_seconds)
        return {process.name: process.stop(grace_seconds) for process in stopping}

    def _start(self, recipe: _Recipe) -> Process:
        process = Process(recipe, self._output)
        self._running.append(process)
        return process

    def _ended(self, process: Process, now: float) -> Exited:
        self._running.remove(process)
        code = process.stop()
        recipe = process.recipe
        if not recipe.restart:
            return Exited(process.name, process.pid, code, None)
        stable = now - process.started_at >= _STABLE_SECONDS
        wait = _FIRST_BACK_OFF_SECONDS if stable else recipe.back_off
        longer = min(wait * 2, _LONGEST_BACK_OFF_SECONDS)
        self._waiting.append((now + wait, replace(recipe, back_off=longer)))
        return Exited(process.name, process.pid, code, wait)


def prefixed(stream: TextIO) -> Output:
    """Write each line to the stream behind the name of its program."""

    def write(name: str, line: str) -> None:
        stream.write(f"{name:>10} | {line}\n")
        stream.flush()

    return write


def _read(name: str, pipe: IO[bytes], output: Output) -> None:
    with pipe:
        for line in pipe:
            output(name, line.decode(errors="replace").rstrip("\n"))
