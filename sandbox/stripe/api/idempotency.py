"""Idempotency-Key: the same key with the same request gets the same answer and does nothing twice."""

from dataclasses import dataclass
from threading import Lock
from typing import Any

from sandbox.stripe.errors import ApiError


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer a key has got."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Entry:
    fingerprint: str
    answer: Stored | None


class IdempotencyKeys:
    """Keys seen so far; they are kept for as long as the simulation lives."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[str, _Entry] = {}

    def claim(self, key: str, fingerprint: str) -> Stored | None:
        """The stored answer, or None when the request is to be done now and then handed to `store`.

        Raises ApiError: 400 for a key used with another request, 409 while the first one is still running.
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                self._entries[key] = _Entry(fingerprint, None)
                return None
        if entry.fingerprint != fingerprint:
            raise ApiError(
                400,
                {
                    "message": "Keys for idempotent requests can only be used with the same parameters they "
                    f"were first used with. Try using a key other than '{key}' if you meant to execute a "
                    "different request.",
                    "type": "idempotency_error",
                },
            )
        if entry.answer is None:
            raise ApiError.invalid(
                f"There is currently another in-progress request using this Idempotent Key: {key}.",
                code="idempotency_key_in_use",
                status=409,
            )
        return entry.answer

    def store(self, key: str, fingerprint: str, answer: Stored) -> None:
        """Keep what was answered, success and failure alike."""
        with self._lock:
            self._entries[key] = _Entry(fingerprint, answer)

    def release(self, key: str) -> None:
        """Forget a claim whose request was refused before anything was done."""
        with self._lock:
            self._entries.pop(key, None)
