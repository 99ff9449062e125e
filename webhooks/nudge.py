"""Wake a worker after the answer is sent: many row ids in one Dramatiq message.

A nudge saves seconds, nothing else: the sweeper finds any row that was never nudged. So ids are dropped when
the broker is down or slow, and nothing here ever makes a request wait.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from webhooks.log import Log
from worker import queues

if TYPE_CHECKING:
    from webhooks.senders import Sender

CAPACITY = 10_000  # ids waiting
LIMIT = 0.5  # seconds for connecting, and for each message
SETTLED = 1.0  # seconds until the libraries are loaded, if no event comes before
GATHER = 0.01  # seconds between two rounds: in a flood each has many ids, a single one never waits
OPEN = 1.0  # seconds the breaker stays open after a failure: ids are dropped, the broker is left alone

State = Literal["unknown", "up", "down"]


class Nudger:
    """Sends row ids to the events queue from a thread of its own, as long as the broker can be reached."""

    def __init__(self, queue_url: str, log: Log) -> None:
        """Nothing is imported or connected until `start`."""
        self._queue_url = queue_url
        self._log = log
        self._ids: deque[int] = deque(maxlen=CAPACITY)
        self._wake = threading.Event()
        self._stopping = False
        self._leave_alone_until = 0.0  # monotonic seconds
        self._sender: Sender | None = None
        self._thread = threading.Thread(target=self._run, name="nudger", daemon=True)
        # Each number has one thread that changes it.
        self._overflowed = 0
        self._dropped = 0
        self.sent = 0
        self.state: State = "unknown"

    @property
    def dropped(self) -> int:
        """Row ids left to the sweeper."""
        return self._dropped + self._overflowed

    def start(self) -> None:
        """Start the thread. It imports the libraries itself: requests are answered before these load.

        So it waits a moment, or for the first row: to load them takes as long as everything else.
        """
        self._thread.start()

    def close(self) -> None:
        """Send what is waiting and stop; a broker that says nothing is given up on."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(3 * LIMIT)

    def push(self, row_id: int) -> None:
        """Hand over one committed row. Never blocks; when too many wait, the oldest is dropped."""
        if len(self._ids) == CAPACITY:
            self._overflowed += 1
        self._ids.append(row_id)
        if not self._wake.is_set():  # else whoever clears it takes this id too
            self._wake.set()

    def _run(self) -> None:
        self._wake.wait(SETTLED)
        self._attempt(self._ping)
        while True:
            self._wake.wait()
            self._wake.clear()
            while batch := self._take():
                if self._attempt(partial(self._enqueue, batch)):
                    self.sent += len(batch)
                else:
                    self._dropped += len(batch)
            if self._stopping:
                if self._sender is not None:
                    self._sender.close()
                return
            time.sleep(GATHER)

    def _take(self) -> list[int]:
        return [self._ids.popleft() for _ in range(min(queues.IDS_PER_MESSAGE, len(self._ids)))]

    def _attempt(self, action: Callable[[], object]) -> bool:
        """Whether `action` succeeded; while the breaker is open it is not even tried."""
        if time.monotonic() < self._leave_alone_until:
            return False
        try:
            action()
        except Exception as error:  # whatever it is, the row is safe and this thread must live on
            self._leave_alone_until = time.monotonic() + OPEN
            self._change("down", reason=type(error.__cause__ or error).__name__)
            return False
        self._change("up")
        return True

    def _change(self, state: State, **fields: object) -> None:
        if state != self.state:
            self._log.write("info" if state == "up" else "warning", f"queue.{state}", fields)
            self.state = state

    def _ping(self) -> None:
        self._connected().ping()

    def _enqueue(self, row_ids: list[int]) -> None:
        from dramatiq import Message

        queue, actor = queues.EVENTS.queue, queues.EVENTS.actor
        message: Message[None] = Message(
            queue_name=queue, actor_name=actor, args=(row_ids,), kwargs={}, options={}
        )
        self._connected().send(message)

    def _connected(self) -> "Sender":
        if self._sender is None:
            from webhooks.senders import open_sender

            self._sender = open_sender(self._queue_url, limit=LIMIT)
        return self._sender
