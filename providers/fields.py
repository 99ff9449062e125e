"""Reading somebody else's JSON: absent and null are the same, and a field of the wrong type is an error.

A billing system adds fields and values at any time, but does not change the type of one it has. So whatever
is read here is what it says it is, or MalformedEventError is raised, and no rule meets a list for a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from providers.lookup import MalformedEventError

Json = Mapping[str, Any]

# Amounts and counts are kept in 64 bits.
LARGEST = 2**63 - 1


def required(thing: Any, name: str) -> Any:
    """A field that no object of this kind can do without."""
    found = _object(thing, name).get(name)
    if found is None:
        raise MalformedEventError(f"{_kind(thing)} has no {name}")
    return found


def part(thing: Any, *path: str) -> Json:
    """The object at the end of a path, or an empty one where the path ends early."""
    found: Any = thing
    for name in path:
        found = _object(found, name).get(name)
        found = {} if found is None else found
    return _object(found, path[-1] if path else "it")


def parts(thing: Any, *path: str) -> list[Json]:
    """The objects of a list, at the end of a path: `items.data`."""
    found = part(thing, *path[:-1]).get(path[-1])
    if found is None:
        return []
    if not isinstance(found, list):
        raise MalformedEventError(f"{path[-1]} is a {type(found).__name__}")
    return [_object(each, path[-1]) for each in found]


def text(thing: Json, name: str) -> str | None:
    """A string; an empty one says as little as null."""
    found = thing.get(name)
    if found is not None and not isinstance(found, str):
        raise MalformedEventError(f"{name} is a {type(found).__name__}")
    return storable(found) or None if found else None


def storable(found: str) -> str:
    """Without what JSON can hold and no column of text: NUL, and halves of a pair of surrogates."""
    if found.isascii() and "\0" not in found:
        return found
    return found.replace("\0", "").encode("utf-8", "replace").decode()


def texts(thing: Json, name: str) -> tuple[str, ...]:
    found = thing.get(name)
    if found is not None and not (isinstance(found, list) and all(isinstance(each, str) for each in found)):
        raise MalformedEventError(f"{name} is no list of strings")
    return tuple(map(storable, found or ()))


def pairs(thing: Json, name: str) -> tuple[tuple[str, str], ...]:
    """An object of strings, such as metadata, as sorted pairs."""
    found = part(thing, name)
    if not all(isinstance(key, str) and isinstance(value, str) for key, value in found.items()):
        raise MalformedEventError(f"{name} holds more than strings")
    return tuple(sorted((storable(key), storable(value)) for key, value in found.items()))


def whole(thing: Json, name: str) -> int:
    """A whole number, 0 for null."""
    found = thing.get(name)
    if found is None:
        return 0
    if not isinstance(found, int) or isinstance(found, bool) or abs(found) > LARGEST:
        raise MalformedEventError(f"{name} is no whole number")
    return found


def flag(thing: Json, name: str) -> bool:
    found = thing.get(name)
    if found is not None and not isinstance(found, bool):
        raise MalformedEventError(f"{name} is a {type(found).__name__}")
    return bool(found)


def moment(value: Any) -> datetime | None:
    """Unix seconds, or ISO 8601 with its offset (thin events), as UTC; None for null."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            if read.tzinfo is not None:
                return read.astimezone(UTC)
        elif isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise MalformedEventError(f"not a time: {type(value).__name__}") from error
    raise MalformedEventError(f"not a time: {type(value).__name__}")


def moment_of(thing: Any, name: str) -> datetime:
    """A moment that no object of this kind can do without."""
    found = moment(required(thing, name))
    assert found is not None  # noqa: S101  # `required` refused null already; this tells mypy
    return found


def ref(value: Any) -> str | None:
    """The id of an expandable field, expanded or not."""
    if value is None:
        return None
    if type(value) is not str and isinstance(value, Mapping):
        value = required(value, "id")
    if not isinstance(value, str):
        raise MalformedEventError(f"a {type(value).__name__} is no id")
    return storable(value) or None


def _object(thing: Any, name: str) -> Json:
    # Nearly always the one, and to ask whether it is any mapping costs ten times as much.
    if type(thing) is not dict and not isinstance(thing, Mapping):
        raise MalformedEventError(f"a {type(thing).__name__} where {name} is an object or is read from one")
    return thing


def _kind(thing: Json) -> str:
    kind = thing.get("object")
    return kind if isinstance(kind, str) and kind.isidentifier() else "object"
