"""Wake a worker after the answer is sent: many row ids in one Dramatiq message.

A nudge saves seconds, nothing else: the sweeper finds any row that was never nudged. So ids are dropped when
Redis is down or slow, and nothing here ever makes a request wait.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from webhooks.counters import Counters
from webhooks.log import Log
from worker import queues

if TYPE_CHECKING:
    from dramatiq import Message
    from dramatiq.brokers.redis import RedisBroker

CAPACITY = 10_000  # ids waiting
BATCH = 500  # ids in one message
LIMIT = 0.5  # seconds for connecting and for each command
OPEN = 1.0  # seconds the breaker stays open after a failure: ids are dropped, Redis is left alone

State = Literal["unknown", "up", "down"]


class Nudger:
    """Sends row ids to the events queue from a thread of its own, as long as Redis can be reached."""

    def __init__(self, redis_url: str, counters: Counters, log: Log) -> None:
        """Nothing is imported or connected until `start`."""
        self._redis_url = redis_url
        self._counters = counters
        self._log = log
        self._ids: deque[int] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._leave_alone_until = 0.0  # monotonic seconds
        self._thread = threading.Thread(target=self._run, name="nudger", daemon=True)
        self.state: State = "unknown"

    def start(self) -> None:
        """Start the thread. It imports Dramatiq and redis itself: requests are answered before these load."""
        self._thread.start()

    def close(self) -> None:
        """Send what is waiting and stop; a frozen Redis is given up on."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(3 * LIMIT)

    def push(self, row_id: int) -> None:
        """Hand over one committed row. Never blocks."""
        if len(self._ids) >= CAPACITY:
            self._counters.nudges_dropped += 1
            return
        self._ids.append(row_id)
        self._wake.set()

    def _run(self) -> None:
        broker = self._build_broker()
        self._attempt(broker.client.ping)
        while not self._stopping:
            self._wake.wait()
            self._wake.clear()
            while batch := self._take():
                if not self._attempt(lambda: broker.enqueue(_message(batch))):
                    self._counters.nudges_dropped += len(batch)
                else:
                    self._counters.nudges_sent += len(batch)

    def _take(self) -> list[int]:
        return [self._ids.popleft() for _ in range(min(BATCH, len(self._ids)))]

    def _build_broker(self) -> "RedisBroker":
        from dramatiq.brokers.redis import RedisBroker
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        client = Redis.from_url(
            self._redis_url,
            socket_connect_timeout=LIMIT,
            socket_timeout=LIMIT,
            retry=Retry(NoBackoff(), 0),
        )
        # No middleware: it acts on actors, and there are none here. Maintenance is the workers' business.
        return RedisBroker(  # type: ignore[no-untyped-call]  # annotated in part
            client=client,
            namespace=queues.NAMESPACE,
            middleware=[],
            maintenance_chance=0,
            heartbeat_timeout=queues.HEARTBEAT_TIMEOUT,
            dead_message_ttl=queues.DEAD_MESSAGE_TTL,
        )

    def _attempt(self, action: Callable[[], object]) -> bool:
        """Whether `action` succeeded; with the breaker open it is not even tried."""
        if time.monotonic() < self._leave_alone_until:
            return False
        try:
            action()
        except Exception as error:  # whatever it is, this thread must live on and the row is safe
            self._leave_alone_until = time.monotonic() + OPEN
            self._change("down", reason=type(error).__name__)
            return False
        self._change("up")
        return True

    def _change(self, state: State, **fields: object) -> None:
        if state != self.state:
            level: Literal["info", "warning"] = "info" if state == "up" else "warning"
            self._log.write(level, f"queue.{state}", fields)
            self.state = state


def _message(row_ids: list[int]) -> "Message[None]":
    from dramatiq import Message

    return Message(
        queue_name=queues.EVENTS.queue,
        actor_name=queues.EVENTS.actor,
        args=(row_ids,),
        kwargs={},
        options={},
    )
