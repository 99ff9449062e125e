"""What a worker is doing now, and whether any of it should have ended long ago."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# Looks beyond a message's time limit, at which Dramatiq interrupts it: what runs on after these never ends.
OVERDUE_AFTER = 60


@dataclass(slots=True)
class _Message:
    what: str
    left: int


class AtWork:
    """The messages that are worked on. Used by the event loop's thread alone.

    Time is counted in looks, one a second: while the machine sleeps nobody looks, and nothing is late by it.
    """

    def __init__(self) -> None:
        self._messages: dict[int, _Message] = {}

    @contextmanager
    def on(self, what: str, limit: int) -> Iterator[None]:
        """While the block runs, somebody is at work on `what`, which may take `limit` seconds."""
        message = _Message(what, limit + OVERDUE_AFTER)
        self._messages[id(message)] = message
        try:
            yield
        finally:
            del self._messages[id(message)]

    def look(self) -> str | None:
        """What should have ended long ago, in words for a log; None: nothing. To be called each second."""
        for message in self._messages.values():
            message.left -= 1
        late = [message.what for message in self._messages.values() if message.left < 0]
        return f"{late[0]} runs on, {OVERDUE_AFTER} s after its time limit" if late else None
