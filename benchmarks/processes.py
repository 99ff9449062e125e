"""What the kernel says of a process."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Seconds. What the kernel counts in: less than this may be nothing.
RESOLUTION = 1 / _TICKS


def memory_mb(pid: int, kind: str = "Pss") -> float:
    """Megabytes of memory: `Pss` (shared pages by their share) or `Rss` (shared pages in full)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == kind:
            return int(value.split()[0]) / 1024
    raise LookupError(f"{kind} is not in smaps_rollup")


def processor_seconds(pid: int) -> float:
    """What a process and all that it started have used so far, those that have ended included."""
    stats = {each: numbers for each in _processes() if (numbers := _stat(each))}
    family, found = [pid], 0.0
    for member in family:
        family += [child for child, numbers in stats.items() if numbers[0] == member]
        found += sum(stats[member][10:14]) / _TICKS
    return found


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _stat(pid: int) -> list[int]:
    """The numbers of /proc/PID/stat from the parent's id on; none of a process that has ended meanwhile."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    # The name, in brackets, may hold anything.
    return [int(each) for each in line.rpartition(")")[2].split()[1:]]
