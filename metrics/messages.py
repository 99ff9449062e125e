"""Measure the wake-ups that a worker takes from its queues."""

from __future__ import annotations

from time import perf_counter

import dramatiq
from dramatiq.middleware import Middleware

from metrics.instruments import message_seconds, messages


class Measuring(Middleware):
    """Notes each message that was worked on, and for how long."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}

    def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        """A worker's thread begins with it."""
        self._began[message.message_id] = perf_counter()

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: dramatiq.MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        """It is through with it, one way or the other."""
        outcome = "failed" if exception else "done"
        messages.labels(message.queue_name, outcome).inc()
        if began := self._began.pop(message.message_id, None):
            message_seconds.labels(message.queue_name).observe(perf_counter() - began)

    def after_skip_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        """It was put aside instead."""
        self._began.pop(message.message_id, None)
