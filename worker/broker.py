"""Dramatiq on Redis, set up so that every one of its weaknesses is a delay of seconds and never a loss.

A message is a wake-up with row ids. Nothing is parked in Redis or in a worker's memory: no delays, no
retries with back-off, no results. What a lost message would have done, the scheduler finds in the tables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import dramatiq
import redis
import structlog
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, AsyncIO, Middleware, Retries, ShutdownNotifications, TimeLimit

from metrics.instruments import nudges_lost
from worker import lengths, queues
from worker.consumer import PromptBroker
from worker.queues import Wakeup
from worker.redis_client import FullError, open_redis
from worker.room import make_room

log = structlog.get_logger()

# Milliseconds. Every use case's own time-outs are shorter; this is for the case nobody thought of.
TIME_LIMIT = 60_000
LIMIT = 2.0  # seconds for connecting to Redis and for each command


def create_broker(redis_url: str, *extra: Middleware) -> RedisBroker:
    """A broker that fails fast: whoever nudges may lose the message, and must not wait for it.

    `Retries` stays, with no retries: without it a failed message would be acknowledged as done.
    """
    return PromptBroker(  # type: ignore[no-untyped-call]  # Dramatiq does not annotate this constructor
        client=open_redis(redis_url, limit=LIMIT),
        namespace=queues.NAMESPACE,
        maintenance_chance=queues.MAINTENANCE_CHANCE,
        heartbeat_timeout=queues.HEARTBEAT_TIMEOUT,
        dead_message_ttl=queues.DEAD_MESSAGE_TTL,
        middleware=[
            AgeLimit(),
            TimeLimit(time_limit=TIME_LIMIT),
            ShutdownNotifications(),
            AsyncIO(),
            *extra,
            Retries(max_retries=0),
        ],
    )


class RedisNudge:
    """Wakes actors through the broker. Redis being away is a warning, not an error.

    With `empties`, one that is full loses all its wake-ups: for the scheduler, which sends them again.
    """

    def __init__(self, broker: RedisBroker, *, empties: bool = False) -> None:
        self._broker = broker
        self._empties = empties

    async def __call__(self, wakeup: Wakeup, ids: Sequence[int]) -> None:
        if ids:
            await asyncio.to_thread(self.send, wakeup, ids)

    async def full(self) -> frozenset[Wakeup]:
        """The wake-ups that would have to wait for long. None is known to while Redis is away."""
        return await asyncio.to_thread(self._full)

    def _full(self) -> frozenset[Wakeup]:
        try:
            waiting = lengths.waiting(self._broker.client)
        except redis.RedisError:
            return frozenset()
        return frozenset(each for each in queues.WAKEUPS if waiting[each.queue] >= queues.ENOUGH_WAITING)

    def send(self, wakeup: Wakeup, ids: Sequence[int]) -> bool:
        """Blocking, bounded by the client's time-outs. False when the wake-up was lost."""
        try:
            for start in range(0, len(ids), queues.IDS_PER_MESSAGE):
                self._broker.enqueue(message(wakeup, ids[start : start + queues.IDS_PER_MESSAGE]))
        except (dramatiq.BrokerError, redis.RedisError) as error:
            if self._empties and isinstance(error, FullError):
                self._empty()
            nudges_lost.labels(wakeup.queue).inc()
            log.warning("nudge.lost", queue=wakeup.queue, rows=len(ids), error=type(error).__name__)
            return False
        return True

    def _empty(self) -> None:
        try:
            make_room(self._broker.client)
        except redis.RedisError as error:
            log.warning("queues.not_emptied", error=type(error).__name__)
        else:
            log.error("queues.emptied", reason="Redis has no memory left")


def message(wakeup: Wakeup, ids: Sequence[int]) -> dramatiq.Message[None]:
    return dramatiq.Message(
        queue_name=wakeup.queue, actor_name=wakeup.actor, args=(list(ids),), kwargs={}, options={}
    )
