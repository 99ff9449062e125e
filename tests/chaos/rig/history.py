"""Everything that was said to us and by us while faults were injected, as the world outside saw it.

Written down line by line as it happens, so that a run that ends badly leaves it behind. Times are unix
seconds of this machine's clock, which is the database's too.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeVar

MailAnswer = Literal["accepted", "refused", "silence", "known"]


@dataclass(frozen=True, slots=True)
class Said:
    """Stripe knows of a change and will tell it; `status` is a subscription's, if that is what changed."""

    at: float
    event: str
    type: str
    customer: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one try to deliver a webhook: the status, or None where there was no answer."""

    at: float
    event: str
    status: int | None
    seconds: float

    @property
    def acknowledged(self) -> bool:
        """Whether Stripe will never send it again."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Mailed:
    """What the mail server made of one mail, by its Message-ID.

    After "silence" it has the mail, but its sender cannot know. "known": it has it from before, told by the
    idempotency key, and keeps one.
    """

    at: float
    mail: str
    recipient: str
    answer: MailAnswer

    @property
    def kept(self) -> bool:
        """Whether one more copy lies in the customer's mailbox."""
        return self.answer in ("accepted", "silence")


@dataclass(frozen=True, slots=True)
class Looked:
    """What the access API answered for a customer: status None where it did not, all else None without a 200.

    `subscription` is the one that decides, and `reason` why; see docs/access.md.
    """

    at: float
    customer: str
    status: int | None
    level: str | None = None
    subscription: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault, from its begin to its end."""

    at: float
    until: float
    kind: str


Line = Said | Answered | Mailed | Looked | Struck
L = TypeVar("L", Said, Answered, Mailed, Looked, Struck)


class History:
    """All lines in the order in which they were written; from any thread."""

    def __init__(self, path: Path | None = None, lines: Iterable[Line] = ()) -> None:
        """Begin with `lines`; `path` is the file that each later one is appended to."""
        self._lines = list(lines)
        self._lock = threading.Lock()
        self._file = path.open("a", buffering=1) if path else None

    def write(self, line: Line) -> None:
        """Keep it."""
        with self._lock:
            self._lines.append(line)
            if self._file:
                self._file.write(json.dumps({type(line).__name__.lower(): asdict(line)}) + "\n")

    def all(self, kind: type[L], since: float = 0.0, until: float = float("inf")) -> list[L]:
        """The lines of a kind, oldest first, from a moment to another."""
        with self._lock:
            return [line for line in self._lines if isinstance(line, kind) and since <= line.at < until]

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()
            self._file = None
