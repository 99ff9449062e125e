"""Dramatiq on Redis, set up so that every one of its weaknesses is a delay of seconds and never a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from dramatiq import Message
from dramatiq.middleware import Middleware
from redis import RedisError

from worker import lengths, queues
from worker.away import AwayError
from worker.consumer import Leaving, PromptBroker
from worker.redis_client import FullError, open_redis
from worker.room import make_room

log = structlog.get_logger()


class OurRedisBroker(PromptBroker):
    """With `empties`, one that is full loses all its wake-ups: for the scheduler, which sends them again."""

    def __init__(
        self, url: str, *, limit: float, middleware: Sequence[Middleware], empties: bool = False
    ) -> None:
        """`url` as `settings.redis` accepts it; `limit` are the seconds for connecting and each command."""
        self.leaving = Leaving()
        super().__init__(  # type: ignore[no-untyped-call]  # Dramatiq does not annotate this constructor
            client=open_redis(url, limit=limit),
            namespace=queues.NAMESPACE,
            maintenance_chance=queues.MAINTENANCE_CHANCE,
            heartbeat_timeout=queues.HEARTBEAT_TIMEOUT,
            dead_message_ttl=queues.DEAD_MESSAGE_TTL,
            middleware=[*middleware, self.leaving],
        )
        self._empties = empties

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Send it. Raises AwayError when Redis did not take it."""
        try:
            return super().enqueue(message, delay=delay)
        except RedisError as error:
            if self._empties and isinstance(error, FullError):
                self._empty()
            raise AwayError from error

    def waiting(self) -> Mapping[str, int]:
        """Messages that wait, by queue. Raises AwayError."""
        try:
            return lengths.waiting(self.client)
        except RedisError as error:
            raise AwayError from error

    def _empty(self) -> None:
        try:
            make_room(self.client)
        except RedisError as error:
            log.warning("queues.not_emptied", error=type(error).__name__)
        else:
            log.error("queues.emptied", reason="Redis has no memory left")
