"""The machine that was measured on: without it no figure means anything."""

import os
import platform
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

_FLUSHES = 100


def describe() -> dict[str, str | float]:
    """What matters for these figures, as plain values."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "flush_ms": round(_flush_ms(), 2),
        "load_before": round(os.getloadavg()[0], 2),
    }


def sentence(machine: dict[str, str | float]) -> str:
    """The same for people."""
    return (
        "{cpu}, {cores} cores, {memory_gb} GB, {system}, Python {python}; 8 KB on disk in {flush_ms} ms; "
        "load before the start {load_before}"
    ).format(**machine)


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _flush_ms() -> float:
    """What a commit waits for at least: a page written and flushed, where the servers keep their data."""
    took = []
    with TemporaryDirectory() as directory, open(Path(directory) / "page", "wb", buffering=0) as file:
        for _ in range(_FLUSHES):
            start = time.perf_counter()
            file.write(bytes(8192))
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - start)
    return 1000 * median(took)
