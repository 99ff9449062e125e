"""How a worker waits for its queues in Redis: told as soon as there is something, looking now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from dramatiq import Broker, ConnectionClosed, MessageProxy, Middleware, Worker
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer

from worker.queues import CASES, EVENTS, IDS_PER_MESSAGE

# Seconds. The longest a waiting thread hears nothing, not even that it is to end.
WAIT = 0.5
# Milliseconds between two looks of a worker that has enough in hand; they cost it alone.
BUSY_LOOK_EVERY = 20
# Rows that a process holds of a queue whose work is computing. More would only wait for one another on its
# one loop, and be missing where another process is idle; fewer would wait for the database alone.
ENOUGH_ROWS = 2 * IDS_PER_MESSAGE
COMPUTING = frozenset({EVENTS.queue, CASES.queue})
# Seconds between two looks where a server cannot be waited for.
LOOK_EVERY = 0.1


class Leaving(Middleware):
    """Whether the worker was asked to stop: `begun`."""

    begun = False

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Before any thread is waited for."""
        self.begun = True


class PromptConsumer(_RedisConsumer):
    """Dramatiq's own, which would sleep between two looks at an empty queue."""

    def __init__(self, broker: RedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]  # Dramatiq does not annotate it
        self._key = f"{broker.namespace}:{queue_name}"
        self._most_messages = prefetch
        self._most_rows = ENOUGH_ROWS if queue_name in COMPUTING else None
        # In the messages that are not acknowledged yet; the workers' threads take theirs out.
        self._rows: dict[str, int] = {}

    def __next__(self) -> MessageProxy | None:
        """The next message, or None after a while without one. Raises dramatiq.ConnectionClosed."""
        has_room = self._has_room()
        if self._most_rows is not None:
            # One at a time: how many rows it is about is known when it is here.
            self.prefetch = self.outstanding_message_count + has_room
        self.timeout = 0 if has_room else BUSY_LOOK_EVERY
        message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]  # as above
        if message is None and has_room:
            self._wait()
        elif message is not None and self._most_rows is not None:
            self._rows[message.message_id] = len(message.args[0])
        return message

    def ack(self, message: MessageProxy) -> None:
        """It was done."""
        self._rows.pop(message.message_id, None)
        with self._once_when_leaving():
            super().ack(message)  # type: ignore[no-untyped-call]  # as above

    def nack(self, message: MessageProxy) -> None:
        """It failed; its rows are in the tables."""
        self._rows.pop(message.message_id, None)
        with self._once_when_leaving():
            super().nack(message)  # type: ignore[no-untyped-call]  # as above

    @contextmanager
    def _once_when_leaving(self) -> Iterator[None]:
        """Dramatiq would have the worker's thread try until the server is back, and not end before."""
        try:
            yield
        except ConnectionClosed:
            # The message is handed out again, and finds its rows done.
            if not self.broker.leaving.begun:
                raise

    def _has_room(self) -> bool:
        if self.outstanding_message_count >= self._most_messages:
            return False
        return self._most_rows is None or sum(tuple(self._rows.values())) < self._most_rows

    def _wait(self) -> None:
        """Until the queue holds something: its head is moved to where it is, so nothing is taken and lost.

        A list that is not empty answers at once, so what came since the last look is not waited for.
        """
        client: Any = self.broker.client
        try:
            client.blmove(self._key, self._key, WAIT, "LEFT", "LEFT")
        except redis.ConnectionError as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]  # as above
        except redis.ResponseError:
            # A server older than 6.2, or without leave to, or that was made a replica while we waited.
            time.sleep(LOOK_EVERY)


class PromptBroker(RedisBroker):
    """Dramatiq's own, whose workers wait as above. `leaving` is one of its middleware."""

    leaving: Leaving

    @property
    def consumer_class(self) -> type[PromptConsumer]:
        return PromptConsumer
