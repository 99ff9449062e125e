"""Programs under measurement: started, watched, stopped. None of them outlives the suite."""

import contextlib
import http.client
import os
import signal
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.errors import BenchmarkError
from sandbox.processes import Process, Processes
from sandbox.programs import RUN, command_line

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT = 30.0  # seconds
_POLL = 0.002
_LINES = 15

Hear = Callable[[str], None]


class Program:
    """One running program; `port` is 0 for one that listens nowhere."""

    def __init__(self, process: Process, port: int, lines: "deque[str]") -> None:
        """Watch a process that has just been started."""
        self.port = port
        self.started_at = time.monotonic()
        self._process = process
        self._lines = lines

    @property
    def name(self) -> str:
        """What it was started as."""
        return self._process.name

    @property
    def pid(self) -> int:
        """Of the program itself."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """It has not ended."""
        return self._process.poll() is None

    @property
    def is_ours(self) -> bool:
        """It is the product, and nobody to compare with."""
        return self._process.recipe.argv[: len(RUN)] == tuple(RUN)

    def wait(self, condition: Callable[[], bool], what: str, *, seconds: float = START_LIMIT) -> None:
        """Return when `condition` holds; raises BenchmarkError when it does not, or the program ends."""
        deadline = time.monotonic() + seconds
        while not condition():
            if (code := self._process.poll()) is not None:
                raise BenchmarkError(self._obituary(f"ended with exit code {code}"))
            if time.monotonic() > deadline:
                raise BenchmarkError(self._obituary(f"was waited for in vain: {what}"))
            time.sleep(_POLL)

    def wait_for_health(self) -> float:
        """Wait for a 200 from `/healthz`; the seconds since the program was started."""
        self.wait(lambda: _is_healthy(self.port), "an answer")
        return time.monotonic() - self.started_at

    def wait_for_line(self, text: str) -> None:
        """Wait until it has written a line with `text` in it."""
        self.wait(lambda: any(text in line for line in list(self._lines)), text)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """The program stands still while the block runs."""
        with frozen(self.pid):
            yield

    def stop(self) -> None:
        """End it, if it has not ended yet; at once, since what it worked on is thrown away."""
        self._process.kill()

    def _obituary(self, what: str) -> str:
        return "\n  ".join([f"{self._process.name} {what}; its last lines:", *self._lines])


class Programs:
    """The programs that were started; `stop_all` ends them. `latest` is by name the one started last."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._lines: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_LINES))
        self._hearers: dict[str, Hear] = {}
        self.latest: dict[str, Program] = {}
        self._processes = Processes(self._heard)

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        port: int = 0,
        hear: Hear | None = None,
    ) -> Program:
        """Start a program; `hear` is given each line it writes, from a thread."""
        self._lines[name].clear()
        if hear:
            self._hearers[name] = hear
        process = self._processes.start(name, command, environment, cwd=ROOT)
        self.latest[name] = program = Program(process, port, self._lines[name])
        return program

    def start_listening(
        self,
        stack: contextlib.ExitStack,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        hear: Hear | None = None,
    ) -> Callable[[], str]:
        """Start a program that says `listening URL` when it does, and ends with the stack.

        What is answered waits for that, and gives the url.
        """
        urls: list[str] = []

        def listen(line: str) -> None:
            word, _, rest = line.partition(" ")
            if word == "listening":
                urls.append(rest)
            elif hear:
                hear(line)

        program = self.start(name, command, environment, hear=listen)
        stack.callback(program.stop)

        def url() -> str:
            program.wait(lambda: bool(urls), "listening")
            return urls[0]

        return url

    def ours(self) -> list[Program]:
        """Those of the product that run now."""
        return [program for program in self.latest.values() if program.is_ours and program.runs]

    def stop_all(self) -> None:
        """Stop whatever still runs."""
        self._processes.stop_all()

    def _heard(self, name: str, line: str) -> None:
        self._lines[name].append(line)
        if name in self._hearers:
            self._hearers[name](line)


@contextlib.contextmanager
def programs() -> Iterator[Programs]:
    """Start programs while the block runs; all of them end with it."""
    started = Programs()
    try:
        yield started
    finally:
        started.stop_all()


@contextlib.contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process is stopped while the block runs: connections stay open and nothing answers."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def dunning(name: str, *more: str) -> list[str]:
    """The command line of one of our own programs, as `sandbox.programs` names them."""
    return [*command_line(name), *more]


def module(name: str, *arguments: str) -> list[str]:
    """The command line of a module of this package."""
    return [sys.executable, "-m", f"benchmarks.{name}", *arguments]


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):  # not listening yet
        return False
    finally:
        connection.close()
