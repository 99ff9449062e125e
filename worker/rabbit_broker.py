"""Dramatiq on RabbitMQ: without its queues for what is delayed and what was given up, and in no one's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from dramatiq import Consumer, Message, MessageProxy
from dramatiq.brokers.rabbitmq import RabbitmqBroker, _RabbitmqConsumer
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import Middleware
from pika.exceptions import AMQPError  # type: ignore[import-untyped]  # marks no annotations as such

from worker import rabbit
from worker.away import AwayError
from worker.rabbit import Publisher, RabbitError


class _Consumer(_RabbitmqConsumer):
    """Of a connection that is lost RabbitMQ has everything back: there is nothing to be acknowledged.

    Dramatiq's own would have the worker's thread wait for five seconds, and then acknowledge by a number that
    the next connection may have given to another message.
    """

    def ack(self, message: MessageProxy) -> None:
        with suppress(ConnectionClosed):
            super().ack(message)  # type: ignore[no-untyped-call]  # Dramatiq does not annotate it

    def nack(self, message: MessageProxy) -> None:
        with suppress(ConnectionClosed):
            super().nack(message)  # type: ignore[no-untyped-call]  # as above


class RabbitBroker(RabbitmqBroker):
    """A consumer has a connection of its own, as Dramatiq's have; all that is sent shares one.

    RabbitMQ stops listening to connections that publish when it is full, and to no others.
    """

    def __init__(self, url: str, *, limit: float, middleware: Sequence[Middleware]) -> None:
        """`url` as `settings.rabbitmq` accepts it; `limit` are the seconds that a sender waits."""
        super().__init__(middleware=list(middleware))
        self.parameters = rabbit.places(url, limit=limit)
        self._publisher = Publisher(url, limit=limit)

    def declare_queue(self, queue_name: str, *, ensure: bool = False) -> None:
        """Make it known to this process's workers; RabbitMQ hears of it from whoever consumes or sends."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Raises dramatiq.errors.ConnectionClosed: `AwayError`, or Dramatiq's own.

        Dramatiq asks for twice as many messages as it has threads. What is beyond these would wait here,
        while another worker has nothing to do.
        """
        prefetched = max(1, prefetch // 2)
        queue = rabbit.name(queue_name)
        consumer = _Consumer(self, queue, prefetched, timeout)  # type: ignore[no-untyped-call]  # as above
        try:
            rabbit.declare(consumer.channel, queue_name)
        except AMQPError as error:
            if consumer.connection.is_open:
                consumer.connection.close()
            raise AwayError from error
        return consumer

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Send it now. Raises AwayError when RabbitMQ did not take it in time."""
        self.emit_before("enqueue", message, delay)
        try:
            self._publisher.publish(message.queue_name, message.encode())
        except RabbitError as error:
            raise AwayError from (error.__cause__ or error)
        self.emit_after("enqueue", message, delay)
        return message

    def waiting(self) -> Mapping[str, int]:
        """Messages that wait, by queue. Raises AwayError."""
        try:
            return self._publisher.waiting()
        except RabbitError as error:
            raise AwayError from (error.__cause__ or error)

    def close(self) -> None:
        """Leave, without waiting for a RabbitMQ that says nothing."""
        self._publisher.close()
        super().close()
