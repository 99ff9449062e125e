"""The processes that a process has started, and those that these have started, and so on."""

from __future__ import annotations

from pathlib import Path


def descendants(pid: int) -> set[int]:
    """All living processes below this one."""
    children: dict[int, set[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:  # it has just ended
                continue
            if state not in "ZX":
                children.setdefault(int(parent), set()).add(int(entry.name))
    found: set[int] = set()
    new = children.get(pid, set())
    while new:
        found |= new
        new = {child for parent in new for child in children.get(parent, set())} - found
    return found
