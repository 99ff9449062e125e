"""Where a page of cases ends, as a word for whoever asks for the next one."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta

from console.problems import ProblemError
from db.lookups import Place

# The largest row id there can be.
MOST = 2**63 - 1


def written(place: Place) -> str:
    """The cursor of a place."""
    parts = [place.opened_at.isoformat(), place.customer_id, place.invoice]
    return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def read(cursor: str) -> Place:
    """The place of a cursor. Raises ProblemError for anything that `written` did not write."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        opened_at, customer_id, invoice = json.loads(urlsafe_b64decode(padded.encode("ascii")))
        place = Place(datetime.fromisoformat(opened_at), customer_id, invoice)
        if _can_be(place) and written(place) == cursor:
            return place
        why = None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        why = error
    detail = "Give a cursor exactly as `next` said it, or none for the first page."
    raise ProblemError(400, "invalid_cursor", detail) from why


def _can_be(place: Place) -> bool:
    """Whether PostgreSQL can be asked for it at all."""
    number = type(place.customer_id) is int and 0 < place.customer_id <= MOST
    return number and place.opened_at.utcoffset() == timedelta(0) and place.invoice.isprintable()
