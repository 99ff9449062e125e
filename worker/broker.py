"""Dramatiq on Redis or RabbitMQ. A message is a wake-up with row ids.

Nothing is parked in a queue or in a worker's memory: no delays, no retries with back-off, no results. What a
lost message would have done, the scheduler finds in the tables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import dramatiq
import structlog
from dramatiq.middleware import AgeLimit, AsyncIO, Middleware, Retries, ShutdownNotifications, TimeLimit

from metrics.instruments import nudges_lost
from worker import queues
from worker.queues import Wakeup

if TYPE_CHECKING:
    from worker.rabbit_broker import RabbitBroker
    from worker.redis_broker import OurRedisBroker

    WakeupBroker: TypeAlias = RabbitBroker | OurRedisBroker

log = structlog.get_logger()

# Milliseconds. Every use case's own time-outs are shorter; this is for the case nobody thought of.
TIME_LIMIT = 60_000
LIMIT = 2.0  # seconds for connecting to the broker and for each command


def create_broker(url: str, *extra: Middleware, empties: bool = False) -> WakeupBroker:
    """A broker that fails fast: whoever nudges may lose the message, and must not wait for it.

    `url` is one that BROKER_URL or REDIS_URL may have. `empties`: see `OurRedisBroker`.
    `Retries` stays, with no retries: without it a failed message would be acknowledged as done.
    """
    middleware = [
        AgeLimit(),
        TimeLimit(time_limit=TIME_LIMIT),
        ShutdownNotifications(),
        AsyncIO(),
        *extra,
        Retries(max_retries=0),
    ]
    # Whoever has one of them need not load the library of the other.
    if queues.is_rabbit(url):
        from worker.rabbit_broker import RabbitBroker

        return RabbitBroker(url, limit=LIMIT, middleware=middleware)
    from worker.redis_broker import OurRedisBroker

    return OurRedisBroker(url, limit=LIMIT, middleware=middleware, empties=empties)


class QueueNudge:
    """Wakes actors through the broker. A broker that is away is a warning, not an error."""

    def __init__(self, broker: WakeupBroker) -> None:
        self._broker = broker

    async def __call__(self, wakeup: Wakeup, ids: Sequence[int]) -> None:
        if ids:
            await asyncio.to_thread(self.send, wakeup, ids)

    async def full(self) -> frozenset[Wakeup]:
        """The wake-ups that would have to wait for long. None is known to while the broker is away."""
        return await asyncio.to_thread(self._full)

    def _full(self) -> frozenset[Wakeup]:
        try:
            waiting = self._broker.waiting()
        except dramatiq.BrokerError:
            return frozenset()
        return frozenset(each for each in queues.WAKEUPS if waiting[each.queue] >= queues.ENOUGH_WAITING)

    def send(self, wakeup: Wakeup, ids: Sequence[int]) -> bool:
        """Blocking, bounded by the broker's time-outs. False when the wake-up was lost."""
        try:
            for start in range(0, len(ids), queues.IDS_PER_MESSAGE):
                self._broker.enqueue(message(wakeup, ids[start : start + queues.IDS_PER_MESSAGE]))
        except dramatiq.BrokerError as error:
            nudges_lost.labels(wakeup.queue).inc()
            log.warning("nudge.lost", queue=wakeup.queue, rows=len(ids), error=_reason(error))
            return False
        return True


def message(wakeup: Wakeup, ids: Sequence[int]) -> dramatiq.Message[None]:
    return dramatiq.Message(
        queue_name=wakeup.queue, actor_name=wakeup.actor, args=(list(ids),), kwargs={}, options={}
    )


def _reason(error: dramatiq.BrokerError) -> str:
    return type(error.__cause__ or error).__name__
