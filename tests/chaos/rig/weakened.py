"""One of our processes with one of its guards taken out: the checker has to find out.

    python tests/chaos/rig/weakened.py GUARD worker --queues events

There is no such switch in the product: what is replaced here is replaced in this process, before it starts.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from db import intake
from emails.delivery import Deferred

Replacement = tuple[str, str, Any]


async def _lock_nothing(connection: AsyncConnection, ids: Collection[int]) -> set[int]:
    """All of them are ours, whoever else has them and however often they were applied."""
    return set(ids)


def _send_again(text: str) -> Deferred:
    """No answer is taken for a refusal."""
    return Deferred(None, text)


_KEY = "ON CONFLICT (source, event_id) DO NOTHING"
# What "unique key" needs beside it.
DROPPED_KEY = "ALTER TABLE inbox DROP CONSTRAINT inbox_source_event_id_key"

# By the guard that is missing: module, name, and what stands there instead.
GUARDS: Mapping[str, Sequence[Replacement]] = {
    "row lock": [("db.inbox", "lock_pending", _lock_nothing)],
    "unique key": [("db.intake", "_INSERT", intake._INSERT.replace(_KEY, ""))],
    "silence is no refusal": [
        ("emails.smtp", "Unanswered", _send_again),
        ("worker.usecases.outcomes", "FIRST_WAIT", timedelta(seconds=1)),
    ],
}


def command_line(guard: str, *arguments: str) -> list[str]:
    """How a process is started without that guard."""
    return [sys.executable, "-P", str(Path(__file__).resolve()), guard, *arguments]


if __name__ == "__main__":
    for module, name, instead in GUARDS[sys.argv.pop(1)]:
        setattr(import_module(module), name, instead)
    from cli.main import main

    main()
