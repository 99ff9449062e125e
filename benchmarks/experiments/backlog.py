"""A backlog for a worker: messages put into Redis while it stands still, then the time it takes for them."""

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

import dramatiq
import redis

from benchmarks.programs import Program
from benchmarks.waiting import wait_until
from worker import queues
from worker.broker import create_broker, message
from worker.queues import Wakeup

LIMIT = 120.0  # seconds for one backlog
# Seconds between two looks whether it is done, which take from the processor what others need.
LOOK_EVERY = 0.01


class Backlog:
    """One queue and the programs that work on it."""

    def __init__(self, stack: ExitStack, programs: Sequence[Program], redis_url: str, wakeup: Wakeup) -> None:
        """Connects to Redis at the first message, until the stack ends."""
        self._programs, self._wakeup = programs, wakeup
        self._ready = False
        self._client = redis.Redis.from_url(redis_url)
        stack.callback(self._client.close)
        self._broker = create_broker(redis_url)
        stack.callback(self._broker.close)
        # Holds every message that is not acknowledged yet.
        self._key = f"{queues.NAMESPACE}:{wakeup.queue}.msgs"

    def work_off(self, messages: Iterable[dramatiq.Message[None]], *, by: int | None = None) -> float:
        """Seconds from the moment the workers may start until every message is acknowledged.

        `by` so many of them: the others go on standing still. They wait for their queue and take nothing out
        of it before they look, so no message is kept from those that work.
        """
        self.wait_for_workers()
        with ExitStack() as idle:
            with ExitStack() as working:
                for number, program in enumerate(self._programs):
                    stack = working if by is None or number < by else idle
                    stack.enter_context(program.frozen())
                for each in messages:
                    self._broker.enqueue(each)
            start = time.monotonic()
            what = f"the queue {self._wakeup.queue} to be empty"
            wait_until(self._is_empty, what, seconds=LIMIT, every=LOOK_EVERY)
            return time.monotonic() - start

    def messages(self, ids: list[int]) -> Iterable[dramatiq.Message[None]]:
        """As the receiver sends them: many ids in one."""
        for start in range(0, len(ids), queues.IDS_PER_MESSAGE):
            yield message(self._wakeup, ids[start : start + queues.IDS_PER_MESSAGE])

    def singles(self, ids: Iterable[int]) -> Iterable[dramatiq.Message[None]]:
        """One message each, as most applications send them."""
        for each in ids:
            yield dramatiq.Message(
                queue_name=self._wakeup.queue,
                actor_name=self._wakeup.actor,
                args=(each,),
                kwargs={},
                options={},
            )

    def wait_for_workers(self) -> None:
        """Until each has said once that it works."""
        for program in () if self._ready else self._programs:
            program.wait_for_line("worker.started")
        self._ready = True

    def _is_empty(self) -> bool:
        return not self._client.exists(self._key)
