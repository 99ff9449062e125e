"""The one way to RabbitMQ, for whoever queues, works or only looks. The receiver reads it, so it stays light.

Nobody waits for RabbitMQ and nothing is tried again here: what a lost message would have done, the scheduler
finds in the tables.
"""

import logging
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TypeVar
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pika import (  # type: ignore[import-untyped]  # marks no annotations as such
    BasicProperties,
    BlockingConnection,
    ConnectionParameters,
    PlainCredentials,
    SSLOptions,
)
from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]  # as above
from pika.exceptions import AMQPError, ChannelClosedByBroker  # type: ignore[import-untyped]  # as above

from worker.queues import MOST_WAITING, NAMESPACE, WAKEUPS

T = TypeVar("T")
Task = Callable[[BlockingConnection], T]

# Seconds. Twice as long without a word from the other side, and the connection counts as lost.
HEARTBEAT = 10
# Seconds between two looks at a connection that nobody uses: heartbeats want to be answered.
LOOK_EVERY = 2.0
# Its answers to a wish for a queue.
NOT_FOUND = 404
OTHERWISE = 406  # it is there, and not as wished

# It tells each failed attempt in ten lines. We tell it in one.
logging.getLogger("pika").setLevel(logging.CRITICAL)


class RabbitError(ConnectionError):
    """RabbitMQ is away or refuses: its cause says which."""


class SilentError(RabbitError):
    """RabbitMQ says nothing."""


def places(url: str, *, limit: float) -> list[ConnectionParameters]:
    """The servers that `url` names, one of which is enough, in the order in which they are tried.

    `url` is one that `settings.rabbitmq` accepts; `limit` are the seconds for reaching one of them.
    """
    return [place for each in url.split(";") for place in _places(urlsplit(each.strip()), limit)]


def _places(parts: SplitResult, limit: float) -> list[ConnectionParameters]:
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    context = _tls(parts) if parts.scheme == "amqps" else None
    return [
        ConnectionParameters(
            host=host,
            port=port or (5671 if context else 5672),
            virtual_host=unquote(parts.path[1:]) or "/",
            credentials=PlainCredentials(unquote(username) or "guest", unquote(password) or "guest"),
            ssl_options=SSLOptions(context, host) if context else None,
            heartbeat=HEARTBEAT,
            socket_timeout=limit,
            stack_timeout=limit,
            client_properties={"connection_name": "dunning"},
        )
        for host, port in map(_place, hosts.split(","))
    ]


def _place(text: str) -> tuple[str, int | None]:
    parts = urlsplit(f"//{text}")
    return parts.hostname or "", parts.port


def _tls(parts: SplitResult) -> ssl.SSLContext:
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    context = ssl.create_default_context(cafile=options.get("cacertfile"))
    if "certfile" in options:
        context.load_cert_chain(options["certfile"], options.get("keyfile"))
    return context


def name(queue: str) -> str:
    """What the queue is called in RabbitMQ, where others may have some as well."""
    return f"{NAMESPACE}.{queue}"


def declare(channel: BlockingChannel, queue: str) -> None:
    """Have the queue, which outlives RabbitMQ; of too many wake-ups the oldest are dropped.

    None is kept that was given up, and none is delayed, so there are no queues for those. In a cluster the
    virtual host says what kind of queue it is. Raises pika.exceptions.AMQPError.
    """
    channel.queue_declare(name(queue), durable=True, arguments={"x-max-length": MOST_WAITING})


class Publisher:
    """One connection, in a thread of its own: whoever asks waits no longer than `limit` seconds.

    Nor does anybody else wait while one answer is overdue: RabbitMQ may be frozen, or have stopped taking
    messages because its memory or disk is full. Once it answers, or is given up, the next one is asked again.
    """

    def __init__(self, url: str, *, limit: float) -> None:
        """Nothing is connected until somebody asks."""
        self._places = partial(places, url, limit=limit)
        self._limit = limit
        self._tasks: SimpleQueue[tuple[Task[object], Future[object]] | None] = SimpleQueue()
        self._overdue: Future[object] | None = None
        self._starting = Lock()
        self._thread: Thread | None = None
        # Of the thread alone.
        self._connection: BlockingConnection | None = None
        self._channel: BlockingChannel | None = None

    def publish(self, queue: str, body: bytes) -> None:
        """Have RabbitMQ take one message. Raises RabbitError when it did not say that it has."""
        self._ask(partial(self._publish, queue=queue, body=body))

    def waiting(self) -> Mapping[str, int]:
        """Messages that wait, by queue. Raises RabbitError."""
        return self._ask(_waiting)

    def ping(self) -> None:
        """Raises RabbitError unless there is a connection."""
        self._ask(BlockingConnection.process_data_events)

    def close(self) -> None:
        """Take leave, if RabbitMQ is there to hear it."""
        if self._thread is not None:
            self._tasks.put(None)
            self._thread.join(self._limit)

    def _ask(self, task: Task[T]) -> T:
        if self._overdue is not None and not self._overdue.done():
            raise SilentError
        answer: Future[T] = Future()
        self._start()
        self._tasks.put((task, answer))  # type: ignore[arg-type]  # each future belongs to its own task
        try:
            return answer.result(self._limit)
        except TimeoutError:
            # One that was not begun is not wanted any more.
            if not answer.cancel():
                self._overdue = answer  # type: ignore[assignment]  # as above
            raise SilentError from None
        except (AMQPError, OSError) as error:
            raise RabbitError from error

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="rabbitmq", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                asked = self._tasks.get(timeout=LOOK_EVERY)
            except Empty:
                self._look()
                continue
            if asked is None:
                self._drop()
                return
            task, answer = asked
            if answer.set_running_or_notify_cancel():
                self._answer(task, answer)

    def _answer(self, task: Task[object], answer: Future[object]) -> None:
        try:
            if self._connection is None:
                self._connection = BlockingConnection(self._places())
            found = task(self._connection)
        except Exception as error:  # whatever it is: it is for the one who asked, and the next begins anew
            self._drop()
            answer.set_exception(error)
        else:
            answer.set_result(found)

    def _publish(self, connection: BlockingConnection, *, queue: str, body: bytes) -> None:
        if self._channel is None:
            self._channel = connection.channel()
            self._channel.confirm_delivery()
            for wakeup in WAKEUPS:
                declare(self._channel, wakeup.queue)
        # Not written to disk: that would take longer than what a lost one costs.
        self._channel.basic_publish("", name(queue), body, BasicProperties(delivery_mode=1), mandatory=True)

    def _look(self) -> None:
        try:
            if self._connection is not None:
                self._connection.process_data_events()
        except (AMQPError, OSError):
            self._drop()

    def _drop(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        try:
            if connection is not None and connection.is_open:
                connection.close()
        except (AMQPError, OSError) as error:
            logging.getLogger(__name__).debug("the connection could not be closed: %s", type(error).__name__)


def _waiting(connection: BlockingConnection) -> Mapping[str, int]:
    return {wakeup.queue: _length(connection, wakeup.queue) for wakeup in WAKEUPS}


def _length(connection: BlockingConnection, queue: str) -> int:
    channel = connection.channel()
    try:
        return int(channel.queue_declare(name(queue), passive=True).method.message_count)
    except ChannelClosedByBroker as error:
        if error.reply_code != NOT_FOUND:
            raise
        return 0  # nobody has had a use for it yet
    finally:
        if channel.is_open:
            channel.close()
