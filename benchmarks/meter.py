"""Processor time of each program while something is done, without what they use for nothing."""

import time
from collections.abc import Callable, Mapping

from benchmarks.house import House
from benchmarks.processes import processor_seconds

PROGRAMS = ("receiver", "worker", "mailer", "scheduler", "simulated Stripe", "mail server")

Seconds = Mapping[str, float]
"""Of processor time, by program."""


class Meter:
    """Of the programs that run now, and of the servers."""

    def __init__(self, house: House, seconds: float) -> None:
        """Begin with as many seconds in which nothing is done."""
        self._pids = {name: house.programs.latest[name].pid for name in PROGRAMS}
        self._pids |= {"PostgreSQL": house.postgres.pid, "Redis": house.valkey.pid}
        self.idle: Seconds = dict.fromkeys(self._pids, 0.0)
        """In a second with nothing to do."""
        self.idle = {name: used / seconds for name, used in self.used(lambda: time.sleep(seconds)).items()}

    def used(self, work: Callable[[], object]) -> Seconds:
        """While `work` is done, and for it."""
        before, start = self._read(), time.monotonic()
        work()
        took, after = time.monotonic() - start, self._read()
        return {name: after[name] - before[name] - took * self.idle[name] for name in after}

    def _read(self) -> Seconds:
        return {name: processor_seconds(pid) for name, pid in self._pids.items()}
