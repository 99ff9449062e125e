"""A comparison of policies: `dunning policy diff` over histories that all differ in their grace."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.errors import BenchmarkError
from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.house import House
from benchmarks.programs import ROOT
from benchmarks.scale import Scale
from benchmarks.world.histories import fill

# A grace that differs for everybody: nobody's replay can be left out.
NEW = 'grace = "10d"\nlimited_after = "7d"\n'
DIFFERENT = 1
LIMIT = 600.0  # seconds


def _compare(house: House, database: str, file: Path, customers: int) -> Figures:
    """By the whole command, start and processes included."""
    command = [sys.executable, "-P", "-m", "cli", "policy", "diff", str(file), "--limit", "0"]
    environment = house.environment(database, house.redis(0))
    start = time.monotonic()
    done = subprocess.run(  # noqa: S603  # our own command line
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    seconds = time.monotonic() - start
    if done.returncode != DIFFERENT or f" of {customers} cases differ" not in done.stdout:
        raise BenchmarkError(f"policy diff ended with {done.returncode}: {json.dumps(done.stderr[-500:])}")
    return {"rate": customers / seconds}


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    database = house.database()
    fill(database, scale.histories)
    with TemporaryDirectory() as directory:
        file = Path(directory) / "new.toml"
        file.write_text(NEW, encoding="utf-8")
        yield [Contender("policy diff", lambda: _compare(house, database, file, scale.histories))]


POLICIES = Experiment(
    "policies",
    "A comparison of policies: every case replayed through both",
    _set_up,
    # A hundred thousand cases in a minute.
    (Mark("cases", "policy diff", "rate", must=1_667),),
    long=True,
)
