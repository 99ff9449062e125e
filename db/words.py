"""Words that the code gives a meaning to, read from tables that a newer version may have written."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

Word = TypeVar("Word", bound=StrEnum)


class FromLaterError(ValueError):
    """A row says something that this version does not know yet: it waits for a worker that does."""


def meaning(kind: type[Word], word: str) -> Word:
    """The member of `kind` that the word stands for. Raises FromLaterError."""
    try:
        return kind(word)
    except ValueError:
        raise FromLaterError(f"{kind.__name__} {word!r} is of a later version") from None
