"""All of our processes, as on two machines, forked to be sooner there; they are ended in every way."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import httpx

from sandbox.demo.stage import Stage, stage
from sandbox.programs import PORTAL, PROGRAMS, free_port
from tests.chaos.rig.driver import Driver
from tests.chaos.rig.history import History
from tests.cli.forking import ROOT, Forked
from tests.sandbox.machine import processes_of, until

# The kinds of the first machine, and what a second one adds: workers and schedulers, of these one more.
FIRST: Mapping[str, Sequence[str]] = dict(PROGRAMS) | {PORTAL: (PORTAL,)}
SECOND = {f"{name}-2": FIRST[name] for name in ("worker", "mailer", "scheduler")} | {
    "scheduler-3": ("scheduler",)
}
COMMANDS: Mapping[str, Sequence[str]] = dict(FIRST) | SECOND

LONGEST = 600  # seconds that a process may run
STARTED_WITHIN = 30.0
MOMENT = 0.02
PAUSE = 0.1

Way = Callable[[int], None]


def terminate(pid: int) -> None:
    """As a supervisor stops one process."""
    os.kill(pid, signal.SIGTERM)


def terminate_group(pid: int) -> None:
    """As systemd stops a unit: everything in it hears of it."""
    os.killpg(pid, signal.SIGTERM)


def kill(pid: int) -> None:
    """As the kernel ends what takes too much memory."""
    os.kill(pid, signal.SIGKILL)


def has_started(log: Path) -> bool:
    """Whether the process that writes this log says that it has."""
    return log.exists() and '.started"' in log.read_text()


class Crew:
    """The processes of a stage whose own are not started."""

    def __init__(self, scene: Stage, folder: Path) -> None:
        """Nobody runs yet. They work in `folder`, by which those that are left over are found."""
        self.folder = folder
        self.exits: dict[str, list[tuple[int, float]]] = {}
        self._env = scene.environment | {"PYTHONPATH": str(ROOT)}
        self._running: dict[str, Forked] = {}
        self._logs: dict[str, Path] = {}
        self._starts = count(1)
        self._urls = (
            f"{scene.api_url}/v1/access/cus_nobody",
            f"{scene.environment['DUNNING_PORTAL_URL']}/p/nothing",
        )
        self._headers = {"Authorization": f"Bearer {scene.api_key}"}

    def start(self) -> None:
        """Start everybody who does not run."""
        for name, command in COMMANDS.items():
            if name not in self._running:
                self._logs[name] = log = self.folder / f"{name}.{next(self._starts)}.log"
                self._running[name] = Forked(command, self.folder, self._env, log, log, patience=LONGEST)
        until(lambda: all(map(has_started, self._logs.values())), STARTED_WITHIN, "everybody has started")

    def end(self, ways: Mapping[str, Way]) -> int:
        """End these at the same moment, each in its way; how many processes are left of them."""
        began = time.monotonic()
        ending = {name: self._running.pop(name) for name in ways}
        pids = {name: process.pid for name, process in ending.items()}
        for name, way in ways.items():
            way(pids[name])
        while ending:
            for name in [name for name, process in ending.items() if process.poll() is not None]:
                code = ending.pop(name).returncode
                assert code is not None
                kind = name.partition("-")[0]
                self.exits.setdefault(kind, []).append((code, time.monotonic() - began))
            time.sleep(MOMENT)
        return len(set(processes_of(self.folder)) - {process.pid for process in self._running.values()})

    def end_all(self) -> None:
        """Leave nobody behind."""
        self.end(dict.fromkeys(self._running, kill))

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Somebody asks the API and opens the page all the time."""
        over = threading.Event()

        def ask() -> None:
            with httpx.Client(headers=self._headers, timeout=5, trust_env=False) as client:
                while not over.wait(PAUSE):
                    for url in self._urls:
                        try:
                            client.get(url)
                        except httpx.TransportError:
                            continue  # it is being started again

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield
        finally:
            over.set()
            asking.join()


@contextmanager
def manned(folder: Path, seed: int, **settings: str) -> Iterator[tuple[Driver, Crew]]:
    """A stage with everybody at work, and a driver for the world around it."""
    portal = free_port()
    settings |= {
        "DUNNING_WORKER_THREADS": "4",
        "DUNNING_PORTAL_PORT": str(portal),
        "DUNNING_PORTAL_URL": f"http://127.0.0.1:{portal}",
        "DUNNING_LINK_SECRETS": "test-secret-0123456789abcdef0123456789abcdef",
    }
    with History(folder / "history.jsonl") as history, ExitStack() as stack:
        scene = stack.enter_context(stage(folder / "stage", seed, programs={}, settings=settings))
        crew = Crew(scene, folder)
        stack.callback(crew.end_all)
        crew.start()
        yield Driver(scene, history, {}, seed), crew
