"""How many wake-ups wait in Redis. Only looks: nothing of Dramatiq's is written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from redis import Redis, RedisError

from worker.queues import NAMESPACE, WAKEUPS
from worker.redis_client import open_redis

TIMEOUT = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class QueueLength:
    """Messages of one queue that wait, and that a worker has in hand."""

    queue: str
    waiting: int
    in_hand: int


def lengths(redis_url: str) -> list[QueueLength] | None:
    """The length of every queue; None when Redis cannot be asked, whatever the reason."""
    try:
        with open_redis(redis_url, limit=TIMEOUT) as client:
            return [_length(client, wakeup.queue) for wakeup in WAKEUPS]
    except (RedisError, OSError):
        return None


def waiting(client: Redis) -> Mapping[str, int]:
    """Messages that wait, by queue. Raises RedisError."""
    names = [wakeup.queue for wakeup in WAKEUPS]
    with client.pipeline(transaction=False) as asking:
        for name in names:
            asking.llen(_key(name))
        return dict(zip(names, map(int, asking.execute()), strict=True))


def _key(queue: str) -> str:
    return f"{NAMESPACE}:{queue}"


def _length(client: Redis, queue: str) -> QueueLength:
    key = _key(queue)
    # Dramatiq keeps the ids that wait in a list, and all messages not yet acknowledged in a hash.
    waiting, known = int(client.llen(key)), int(client.hlen(f"{key}.msgs"))
    return QueueLength(queue, waiting, max(0, known - waiting))
