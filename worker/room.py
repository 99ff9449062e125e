"""Room in a Redis that is full: what is ours there are wake-ups, and all that they wake is in the tables.

Taking a message or acknowledging one needs memory as well, so a Redis that wake-ups have filled, while no
worker was there to take them, would never be emptied by the workers that come back.
"""

from __future__ import annotations

from redis import Redis

from worker.queues import NAMESPACE, WAKEUPS

# Dramatiq's own names: what waits, what waits for its time, and what was given up, each with its bodies.
_KEYS = [
    f"{NAMESPACE}:{wakeup.queue}{kind}{bodies}"
    for wakeup in WAKEUPS
    for kind in ("", ".DQ", ".XQ")
    for bodies in ("", ".msgs")
]


def make_room(client: Redis) -> None:
    """Throw every wake-up away. Raises redis.RedisError. The scheduler hands out again what they were for."""
    client.unlink(*_KEYS)
