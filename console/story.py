"""What an explanation is made of: sentences with their times, in parts, for each case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.cases import CaseFacts
from dunning.access import Access


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence, and when it happened or will."""

    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """One case. Each part may be empty."""

    case: CaseFacts
    headline: str
    happened: tuple[Line, ...]
    done: tuple[Line, ...]
    withheld: tuple[Line, ...]
    coming: tuple[Line, ...]
    changes: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A customer's access with its reason, the cases behind it, and renewals to come.

    `at` is the account's time.
    """

    customer: str
    name: str | None
    email: str | None
    source: str
    at: datetime
    test_clock: str | None
    access: Access
    summary: str
    stories: tuple[Story, ...]
    earlier: tuple[Line, ...]
    upcoming: tuple[Line, ...]
