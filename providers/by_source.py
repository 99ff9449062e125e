"""What speaks for a source, made when somebody first asks: sources are not all known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")

# A platform may have thousands of connected accounts, of which few are busy at a time.
MOST = 1_000


class BySource(Mapping[str, T]):
    """By source, as `make` makes them; KeyError for a source of which it makes None.

    Kept are those that were asked for last, MOST of them, and only these are counted and iterated over.
    """

    def __init__(self, make: Callable[[str], T | None]) -> None:
        self._make = make
        self._made: dict[str, T | None] = {}

    def __getitem__(self, source: str) -> T:
        made = self._made.pop(source) if source in self._made else self._make(source)
        self._made[source] = made
        if len(self._made) > MOST:
            del self._made[next(iter(self._made))]
        if made is None:
            raise KeyError(source)
        return made

    def __iter__(self) -> Iterator[str]:
        return (source for source, made in self._made.items() if made is not None)

    def __len__(self) -> int:
        return sum(made is not None for made in self._made.values())
