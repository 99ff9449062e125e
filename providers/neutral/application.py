"""The merchant's application, asked for what a neutral event leaves unsaid: who it is, what for, how much."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from providers.lookup import Lookup, MalformedEventError, Normalised, ProviderUnavailableError, Subject
from providers.neutral.facts import completed

Ask = Callable[[str], Awaitable[bytes | None]]
"""From a subscription to the body of the answer; None: they know none. Raises ProviderUnavailableError."""

# Seconds for which an answer stands: a failure comes with others that ask the same.
KEPT = 60.0
MOST_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class _Answer:
    data: dict[str, Any] | None
    read_at: datetime
    until: float


class Application:
    """Completes the events of one source. `ask` is one signed request, `clock` counts seconds."""

    def __init__(self, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._kept: dict[str, _Answer] = {}

    async def look_up(self, lookup: Lookup) -> Normalised:
        """The event's facts, completed. An answer that cannot be meant is none yet: it may be mended."""
        if lookup.subject is not Subject.SUBSCRIPTION or lookup.event is None:
            return Normalised()
        answer = await self._answer(lookup.ref)
        if answer.data is None:
            return Normalised()
        try:
            return completed(lookup.event, answer.data, answer.read_at)
        except MalformedEventError as error:
            raise ProviderUnavailableError(f"the application's answer: {error}") from None

    async def _answer(self, subscription: str) -> _Answer:
        kept = self._kept.get(subscription)
        if kept and self._clock() < kept.until:
            return kept
        body = await self._ask(subscription)
        answer = _Answer(None if body is None else _read(body), datetime.now(UTC), until=self._clock() + KEPT)
        self._kept.pop(subscription, None)
        self._kept[subscription] = answer
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return answer


def _read(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise ProviderUnavailableError("the application's answer is no JSON object")
    return data
