"""The receiver itself, in this process: an event is posted to it as the HTTP server would hand it over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from settings.urls import for_asyncpg
from tests.webhooks.stripe_calls import SECRET, signed
from webhooks.app import Receiver
from webhooks.config import ReceiverConfig
from webhooks.http import Message, Scope
from webhooks.log import Log

# Nobody listens there: that a wake-up is lost is part of what may happen.
NO_REDIS = "redis://127.0.0.1:9/0"
Answered = Callable[[int], Awaitable[None]]


def a_receiver(database_url: str) -> Receiver:
    """One that is not started yet; start it inside the event loop."""
    config = ReceiverConfig(
        database_dsn=for_asyncpg(database_url),
        queue_url=NO_REDIS,
        secrets={"STRIPE_WEBHOOK_SECRETS": (SECRET,)},
        livemode=False,
        host="127.0.0.1",
        port=0,
        log_format="json",
    )
    return Receiver(config, Log("json", "error"))


async def post(
    receiver: Receiver, body: bytes, answered: Callable[[int], Awaitable[None]] | None = None
) -> int:
    """Deliver a signed body; the status of the answer, of which `answered` hears before Stripe does."""
    headers = [(name.lower().encode(), value.encode()) for name, value in signed(body).items()]
    length = (b"content-length", str(len(body)).encode())
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/webhooks/stripe",
        "headers": [*headers, length],
    }
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            if answered:
                await answered(message["status"])
            statuses.append(message["status"])

    await receiver(scope, receive, send)
    return statuses[0]
