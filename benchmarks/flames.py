"""Pictures of where our programs spend their time while a row is measured; only where they are asked for."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.programs import Program

PER_SECOND = "200"  # looks at each program
WRITES = 30.0  # seconds that a picture may take

Profiler = Callable[[str, Sequence[Program]], AbstractContextManager[None]]
"""Given a row's name and the programs that run, takes their pictures while the block runs."""


def profiler(folder: Path) -> Profiler:
    """Flame graphs by py-spy, `ROW-PROGRAM.svg` in the folder.

    Raises BenchmarkError where py-spy is not installed, with the cure.
    """
    command = shutil.which("py-spy", path=Path(sys.executable).parent) or shutil.which("py-spy")
    if command is None:
        raise BenchmarkError("--profile needs py-spy: .venv/bin/python -m pip install py-spy")
    folder.mkdir(parents=True, exist_ok=True)
    return partial(_pictures, command, folder)


@contextmanager
def _pictures(command: str, folder: Path, row: str, programs: Sequence[Program]) -> Iterator[None]:
    with ExitStack() as stack:
        for program in programs:
            file = folder / f"{row}-{program.name.replace(' ', '-')}.svg"
            stack.enter_context(_picture([command, "record", "--output", str(file)], program))
        yield


@contextmanager
def _picture(command: Sequence[str], program: Program) -> Iterator[None]:
    # Without stopping the program for each look; a look that goes wrong for it is left out.
    options = ["--pid", str(program.pid), "--rate", PER_SECOND, "--nonblocking", "--subprocesses"]
    recording = subprocess.Popen(  # noqa: S603  # py-spy, found above
        [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        yield
    finally:
        recording.send_signal(signal.SIGINT)  # it then writes what it has seen
        said = recording.communicate(timeout=WRITES)[1]
    if recording.returncode:
        raise BenchmarkError(f"py-spy could not watch {program.name}: {said.strip()}")
