"""RabbitMQ: it only carries wake-ups, but must take them, and let us have queues."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from pika import BlockingConnection  # type: ignore[import-untyped]  # marks no annotations as such
from pika.exceptions import (  # type: ignore[import-untyped]  # as above
    AMQPError,
    ChannelClosedByBroker,
    ConnectionBlockedTimeout,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    UnroutableError,
)

from console.doctor.finding import Finding, fault, good, note
from console.doctor.values import Values
from settings.broker import PossibleBroker
from worker import rabbit
from worker.queues import WAKEUPS

AREA = "RabbitMQ"
TIMEOUT = 3.0  # seconds
# Of no queue: what is sent there comes back, and is kept nowhere.
NOWHERE = "dunning.doctor"

PERMISSIONS = (
    r"Give the user permission to configure, write and read `^dunning\.`, and to write `^amq\.default$`."
)
HARM = "Nothing is lost: the scheduler finds every row. But each step waits for seconds."


async def look(values: Values) -> list[Finding]:
    """Creates nothing, and leaves no message behind."""
    settings = values.of(PossibleBroker)
    if settings is None or settings.broker_url is None:
        return []
    return await asyncio.to_thread(_look, settings.broker_url.get_secret_value())


def _look(url: str) -> list[Finding]:
    try:
        places = rabbit.places(url, limit=TIMEOUT)
        for place in places:
            place.blocked_connection_timeout = TIMEOUT
        with BlockingConnection(places) as connection:
            return [*_queues(connection), *_taking(connection)]
    except ProbableAuthenticationError:
        return [fault(AREA, "refuses our login", HARM, "Look at the user and password in BROKER_URL.")]
    except ProbableAccessDeniedError:
        cure = "Look at the end of BROKER_URL, and give the user permissions there."
        return [fault(AREA, "does not let us into that virtual host", HARM, cure)]
    except ConnectionBlockedTimeout:
        return [_blocked()]
    except (AMQPError, OSError) as error:
        what = f"cannot be used ({type(error).__name__})"
        return [fault(AREA, what, HARM, "Start it, or look at BROKER_URL.")]


def _queues(connection: BlockingConnection) -> Iterator[Finding]:
    """What those who work would meet."""
    for wakeup in WAKEUPS:
        channel = connection.channel()
        try:
            channel.queue_declare(rabbit.name(wakeup.queue), passive=True)
            # As it is there already, this creates nothing; but it has to be as we would create it.
            rabbit.declare(channel, wakeup.queue)
        except ChannelClosedByBroker as error:
            yield _refused(rabbit.name(wakeup.queue), error.reply_code)


def _refused(queue: str, code: int) -> Finding:
    if code == rabbit.NOT_FOUND:
        return note(
            AREA, f"has no queue {queue} yet", "Nobody has queued there.", "Workers make it when they start."
        )
    if code == rabbit.OTHERWISE:
        cure = f"Delete it (`rabbitmqctl delete_queue {queue}`): workers make it anew."
        return fault(AREA, f"has a queue {queue} that somebody else has made", HARM, cure)
    return fault(AREA, f"does not let us use the queue {queue}", HARM, PERMISSIONS)


def _taking(connection: BlockingConnection) -> Iterator[Finding]:
    """One that is short of memory or disk says so to nobody but whoever sends."""
    channel = connection.channel()
    channel.confirm_delivery()
    try:
        channel.basic_publish("", NOWHERE, b"", mandatory=True)
    except UnroutableError:
        yield good(AREA, "takes messages")
    except ChannelClosedByBroker:
        yield fault(AREA, "does not let us send", HARM, PERMISSIONS)


def _blocked() -> Finding:
    cure = "`rabbitmq-diagnostics alarms` says what it is short of."
    return fault(AREA, "takes no messages: it is short of memory or disk", HARM, cure)
