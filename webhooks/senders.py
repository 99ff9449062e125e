"""How the receiver's wake-ups get into the queue: by Redis or RabbitMQ. Imported by the nudger's thread."""

from typing import Any, Protocol

from dramatiq import Message

from worker import queues


class Sender(Protocol):
    """Each method raises an exception of its library's when the broker did not answer in time."""

    def ping(self) -> None:
        """Is it there?"""

    def send(self, message: Message[Any]) -> None:
        """Have it queue the message."""

    def close(self) -> None:
        """Take leave."""


def open_sender(url: str, *, limit: float) -> Sender:
    """Nothing is connected yet. `limit` are the seconds for connecting, and for each message."""
    return _RabbitSender(url, limit) if queues.is_rabbit(url) else _RedisSender(url, limit)


class _RedisSender:
    def __init__(self, url: str, limit: float) -> None:
        from dramatiq.brokers.redis import RedisBroker

        from worker.redis_client import open_redis

        # No middleware: it acts on actors, and there are none here. Maintenance is the workers' business.
        self._broker = RedisBroker(  # type: ignore[no-untyped-call]  # annotated in part
            client=open_redis(url, limit=limit),
            namespace=queues.NAMESPACE,
            middleware=[],
            maintenance_chance=0,
            heartbeat_timeout=queues.HEARTBEAT_TIMEOUT,
            dead_message_ttl=queues.DEAD_MESSAGE_TTL,
        )

    def ping(self) -> None:
        self._broker.client.ping()

    def send(self, message: Message[Any]) -> None:
        self._broker.enqueue(message)

    def close(self) -> None:
        self._broker.close()


class _RabbitSender:
    def __init__(self, url: str, limit: float) -> None:
        from worker.rabbit import Publisher

        self._publisher = Publisher(url, limit=limit)

    def ping(self) -> None:
        self._publisher.ping()

    def send(self, message: Message[Any]) -> None:
        self._publisher.publish(message.queue_name, message.encode())

    def close(self) -> None:
        self._publisher.close()
