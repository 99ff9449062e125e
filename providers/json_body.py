"""A body that should be a JSON object, read without ever quoting it."""

import json
from datetime import UTC, datetime
from typing import Any

from providers.envelope import BadEnvelope


def parse_object(body: bytes) -> dict[str, Any]:
    """The object. Raises BadEnvelope for any other bytes."""
    try:
        event = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadEnvelope("utf8") from None
    except (ValueError, RecursionError):  # `from None`: the error would quote the body
        raise BadEnvelope("json") from None
    if not isinstance(event, dict):
        raise BadEnvelope("not_an_object")
    return event


def name(event: dict[str, Any], key: str) -> str:
    """Ids and types are short printable ASCII. Anything else would not fit the column or the index."""
    value = event.get(key)
    if isinstance(value, str) and 0 < len(value) <= 255 and value.isascii() and value.isprintable():
        return value
    raise BadEnvelope(key)


def time_told(given: Any) -> datetime | None:
    """ISO 8601 with an offset, in UTC. One that cannot be read costs no event here; the worker complains."""
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return at.astimezone(UTC) if at and at.tzinfo else None
