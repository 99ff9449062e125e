"""Reading what mail services send: plain JSON in which anything may be missing or of another kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from providers.lookup import MalformedEventError

REFERENCE_HEADER = "x-dunning-reference"
_REFERENCE = re.compile(r"[0-9a-f]{32}")


def mapping(value: Any) -> Mapping[str, Any]:
    """The object, or an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in a list."""
    yield from (each for each in value if isinstance(each, Mapping)) if isinstance(value, list) else ()


def text(value: Any) -> str:
    """The string, without what no column holds, or an empty one."""
    return "".join(filter(str.isprintable, value)) if isinstance(value, str) else ""


def texts(value: Any) -> list[str]:
    """The strings in a list, or the only one."""
    found = value if isinstance(value, list) else [value]
    return [said for each in found if (said := text(each))]


def moment(value: Any) -> datetime:
    """A time as ISO 8601. Raises MalformedEventError: a result without a time cannot be placed."""
    try:
        at = datetime.fromisoformat(text(value))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise MalformedEventError("there is no time that can be read")
    return at.astimezone(UTC)


def mark(value: Any) -> str | None:
    """Our reference, if it is one; a list of one is that one, as Amazon has it."""
    found = value[0] if isinstance(value, list) and len(value) == 1 else value
    return found if isinstance(found, str) and _REFERENCE.fullmatch(found) else None


def in_headers(headers: Any) -> str | None:
    """Our reference among the headers of the mail, as a list of names and values."""
    named = (each for each in mappings(headers) if text(each.get("name")).lower() == REFERENCE_HEADER)
    return next((found for each in named if (found := mark(each.get("value")))), None)


def details(*parts: Any) -> str:
    """What was said of it, in one line."""
    return ": ".join(said for part in parts if (said := " ".join(texts(part))))
