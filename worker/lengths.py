"""How many wake-ups wait in the broker. Only looks: nothing of Dramatiq's is written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis import Redis, RedisError

from worker.queues import NAMESPACE, WAKEUPS, is_rabbit
from worker.redis_client import open_redis

if TYPE_CHECKING:
    from worker.rabbit import Publisher

TIMEOUT = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class QueueLength:
    """Messages of one queue that wait, and that a worker has in hand: RabbitMQ tells nobody of those."""

    queue: str
    waiting: int
    in_hand: int | None


class Lengths:
    """Looks at one broker, again and again."""

    def __init__(self, url: str) -> None:
        """`url` is one that BROKER_URL or REDIS_URL may have. Nothing is connected yet."""
        self._url = url
        self._rabbit: Publisher | None = None
        if is_rabbit(url):
            from worker.rabbit import Publisher

            self._rabbit = Publisher(url, limit=TIMEOUT)

    def read(self) -> Sequence[QueueLength] | None:
        """The length of every queue; None when the broker cannot be asked, whatever the reason."""
        try:
            if self._rabbit is not None:
                return [QueueLength(queue, here, None) for queue, here in self._rabbit.waiting().items()]
            with open_redis(self._url, limit=TIMEOUT) as client:
                return [_length(client, wakeup.queue) for wakeup in WAKEUPS]
        except (RedisError, OSError):
            return None

    def close(self) -> None:
        """Look no more."""
        if self._rabbit is not None:
            self._rabbit.close()


def lengths(url: str) -> Sequence[QueueLength] | None:
    """One look: see `Lengths.read`."""
    looking = Lengths(url)
    try:
        return looking.read()
    finally:
        looking.close()


def waiting(client: Redis) -> Mapping[str, int]:
    """Messages that wait, by queue. Raises RedisError, and so where the server has become a replica."""
    names = [wakeup.queue for wakeup in WAKEUPS]
    # Removes nothing, but only a primary would. A replica goes on telling what waited when it became one: who
    # sends nothing because of that never hears that it is none any more, and never leaves it.
    client.hdel(f"{_key(names[0])}.msgs", "")
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
