"""What speaks for a source, made when somebody first asks: sources are not all known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class BySource(Mapping[str, T]):
    """By source, as `make` makes them, and kept; KeyError for a source of which it makes None.

    Only those that somebody has asked for are counted and iterated over.
    """

    def __init__(self, make: Callable[[str], T | None]) -> None:
        self._make = make
        self._made: dict[str, T | None] = {}

    def __getitem__(self, source: str) -> T:
        if source not in self._made:
            self._made[source] = self._make(source)
        made = self._made[source]
        if made is None:
            raise KeyError(source)
        return made

    def __iter__(self) -> Iterator[str]:
        return (source for source, made in self._made.items() if made is not None)

    def __len__(self) -> int:
        return sum(made is not None for made in self._made.values())
