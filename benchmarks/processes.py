"""What the kernel says of a process."""

from pathlib import Path


def memory_mb(pid: int, kind: str = "Pss") -> float:
    """Megabytes of memory: `Pss` (shared pages by their share) or `Rss` (shared pages in full)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == kind:
            return int(value.split()[0]) / 1024
    raise LookupError(f"{kind} is not in smaps_rollup")
