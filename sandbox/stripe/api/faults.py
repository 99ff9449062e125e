"""Things that go wrong between a client and Stripe, on request."""

import re
from dataclasses import dataclass
from threading import Lock
from typing import Any

_BODIES: dict[int, dict[str, Any]] = {
    429: {
        "code": "rate_limit",
        "doc_url": "https://stripe.com/docs/error-codes/rate-limit",
        "message": "Request rate limit exceeded.",
        "type": "invalid_request_error",
    },
    400: {"message": "This request is refused.", "type": "invalid_request_error"},
    404: {"code": "resource_missing", "message": "No such object.", "type": "invalid_request_error"},
    409: {
        "code": "idempotency_key_in_use",
        "message": "There is currently another in-progress request using this Idempotent Key.",
        "type": "invalid_request_error",
    },
    500: {"message": "An unknown error occurred", "type": "api_error"},
    503: {"message": "Stripe is temporarily unavailable.", "type": "api_error"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to the next `times` requests whose "METHOD /path" matches `match` (a regular expression).

    `status`: answer with this instead of the truth, None to answer truly. `seconds`: wait so long before it.
    `after`: do the request first, so that only its answer is lost. `retry_after`: say with it in how many
    seconds to come back.
    """

    match: str = ".*"
    times: int = 1
    status: int | None = None
    seconds: float = 0.0
    after: bool = False
    retry_after: int | None = None

    @property
    def error(self) -> dict[str, Any]:
        """The error object of the false answer."""
        return _BODIES.get(self.status or 500, _BODIES[500])

    @property
    def headers(self) -> dict[str, str]:
        """Those of the false answer."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class Faults:
    """The faults still to come; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._planned: list[list[Any]] = []

    def add(self, fault: Fault) -> None:
        """Let it happen from now on."""
        with self._lock:
            self._planned.append([fault, fault.times])

    def clear(self) -> None:
        """Let everything go well again."""
        with self._lock:
            self._planned.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, counted off."""
        with self._lock:
            for entry in self._planned:
                fault, left = entry
                if left > 0 and re.search(fault.match, f"{method} {path}"):
                    entry[1] = left - 1
                    return fault if isinstance(fault, Fault) else None
        return None
