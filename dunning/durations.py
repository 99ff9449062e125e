"""Spans of time as people write them in a policy file: "14d", "72h", "15min"."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

UNITS = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_SPAN = re.compile(r"(\d{1,6})\s*(min|h|d|w)")
_ISO = re.compile(r"P[\dT].*")


def span(value: object) -> object:
    """A timedelta from text such as "14d"; ISO 8601 ("P14D") and timedeltas are passed on.

    Raises ValueError for other text, and for a bare number, which nobody can tell the unit of.
    """
    if isinstance(value, timedelta) or (isinstance(value, str) and _ISO.fullmatch(value)):
        return value
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError('write a number and a unit: "15min", "72h", "14d" or "3w"')
    return int(found[1]) * UNITS[found[2]]


def span_or(word: str, value: object) -> object:
    """A span where `word` may be written as well; the ValueError names it."""
    try:
        return span(value)
    except ValueError as error:
        raise ValueError(f'{error}; or "{word}"') from None


def spell(value: timedelta) -> str:
    """A span of whole minutes as `span` reads it, in the largest unit that fits: days, hours, minutes."""
    for unit in ("d", "h"):
        if value and value % UNITS[unit] == timedelta(0):
            return f"{value // UNITS[unit]}{unit}"
    return f"{value // UNITS['min']}min"


# The same few spans of a policy are said in every plan.
@lru_cache(maxsize=256)
def in_words(value: timedelta) -> str:
    """A span as a person reads it, in the largest unit that fits: "1 day", "36 hours", "15 minutes"."""
    for unit, name in ((UNITS["d"], "day"), (UNITS["h"], "hour")):
        if value and value % unit == timedelta(0):
            return _count(value // unit, name)
    return _count(value // UNITS["min"], "minute")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
