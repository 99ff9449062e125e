"""What the kernel says of processes."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int, kind: str = "Pss") -> float:
    """Megabytes of memory: `Pss` (shared pages by their share) or `Rss` (shared pages in full)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == kind:
            return int(value.split()[0]) / 1024
    raise LookupError(f"{kind} is not in smaps_rollup")


def cpu_seconds(*pids: int) -> float:
    """Processor time of these processes and of all that descend from them, since their start."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for each in [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]:
        # One that has ended in the meantime is in the time of its parent's children.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            # ppid, and utime, stime, cutime, cstime of proc(5).
            parents[each], used[each] = int(fields[1]), sum(map(int, fields[11:15])) / _TICKS
    return sum(used[each] for each in used if not set(pids).isdisjoint(_line(each, parents)))


def _line(pid: int, parents: Mapping[int, int]) -> Iterator[int]:
    """A process, its parent, and so on."""
    each: int | None = pid
    while each is not None:
        yield each
        each = parents.get(each)
