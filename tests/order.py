"""Which file comes when: whole programs wait more than they work, and all other files keep a core busy."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# The folders and files that start whole programs.
_LONG = ("chaos", "processes", "browser", "sandbox/test_demo_run.py", "cli/test_up.py")
LONG = tuple(str(TESTS / each) for each in _LONG)


def mixed(items: list[pytest.Item]) -> list[pytest.Item]:
    """One file of LONG after every few others, so that there is work while it waits.

    It begins with one, and the last quarter of the files has none: nobody waits for one in the end.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    long = [path for path in files if str(path).startswith(LONG)]
    others = [path for path in files if not str(path).startswith(LONG)]
    every = max(1, len(others) * 3 // 4 // max(1, len(long)))
    order: list[Path] = []
    for number, path in enumerate(others):
        if number % every == 0:
            order += long[number // every : number // every + 1]
        order.append(path)
    order += [path for path in long if path not in order]
    return [item for path in order for item in files[path]]
