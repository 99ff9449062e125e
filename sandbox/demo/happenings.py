"""What an audience of the demo is told while it runs."""

from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["deed", "mail", "team", "access"]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to tell: on which day, to whom, and what."""

    day: int
    kind: Kind
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of everything there has been so far."""

    events: int = 0
    deliveries: int = 0
    mails: int = 0
    calls: int = 0
    access_changes: int = 0


class Audience(Protocol):
    """Whoever shows the demo's progress."""

    def starting(self, what: str) -> None:
        """A part of the stage is being set up."""

    def day(self, day: int, counts: Counts) -> None:
        """A day begins or has gone on."""

    def happened(self, happening: Happening) -> None:
        """Something worth a line."""
