"""A comparison of policies: `dunning policy diff` over histories that all differ in their grace.

Beside it a plain loop over the same rows that only parses them; both are whole commands, start included.
"""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.errors import BenchmarkError
from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.house import House
from benchmarks.programs import ROOT, module
from benchmarks.scale import Scale
from benchmarks.world.histories import fill

# A grace that differs for everybody: nobody's replay can be left out.
NEW = 'grace = "10d"\nlimited_after = "7d"\n'
DIFFERENT = 1
LIMIT = 600.0  # seconds


class _Policies:
    """Both commands, on one database."""

    def __init__(self, house: House, file: Path, customers: int) -> None:
        database = house.database()
        fill(database, customers)
        self._environment = house.environment(database, house.redis(0))
        self._file, self._customers = file, customers

    def compare(self) -> Figures:
        """By `dunning policy diff`, on as many processes as there are cores."""
        command = [sys.executable, "-P", "-m", "cli", "policy", "diff", str(self._file), "--limit", "0"]
        return self._timed(command, DIFFERENT, f" of {self._customers} cases differ")

    def parse(self) -> Figures:
        """By one process, which reads what the other reads."""
        return self._timed(module("peers.reading"), 0, f"{self._customers}\n")

    def _timed(self, command: Sequence[str], code: int, says: str) -> Figures:
        start = time.monotonic()
        done = _run(command, self._environment)
        seconds = time.monotonic() - start
        if done.returncode != code or says not in done.stdout:
            raise BenchmarkError(
                f"{shlex.join(command)} ended with {done.returncode}: {done.stderr[-500:]!r}"
            )
        return {"rate": self._customers / seconds, "ms": 1000 * seconds}


def _run(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own command lines
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    with TemporaryDirectory() as directory:
        file = Path(directory) / "new.toml"
        file.write_text(NEW, encoding="utf-8")
        policies = _Policies(house, file, scale.histories)
        yield [Contender("policy diff", policies.compare), Contender("plain loop", policies.parse)]


POLICIES = Experiment(
    "policies",
    "A comparison of policies: every case replayed through both",
    _set_up,
    (
        Mark(
            "to a loop that only parses the rows",
            "policy diff",
            "ms",
            "plain loop",
            must=4,
            aim=2,
            better="less",
        ),
        # A hundred thousand cases in a minute.
        Mark("cases", "policy diff", "rate", must=1_667),
    ),
    long=True,
)
