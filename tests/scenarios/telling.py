"""A billing system that only tells: its signed events go by HTTP through the receiver, on to the worker."""

from __future__ import annotations

import binascii
import hmac
import io
import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from db.models import inbox
from settings.urls import for_asyncpg
from tests.scenarios.story import RENEWAL, Story
from tests.scenarios.world import World
from webhooks.app import Receiver
from webhooks.config import ReceiverConfig
from webhooks.log import Log
from worker.queues import EVENTS

KEY = b"a key of twenty-four byte"
SECRET = "whsec_" + b64encode(KEY).decode()


@dataclass(frozen=True)
class Person:
    """A customer as another billing system knows them: by an id."""

    id: str


class Door:
    """The receiver of a world, as ASGI application over the world's own database and clock."""

    def __init__(self, world: World, redis_url: str, *sources: str, **secrets: tuple[str, ...]) -> None:
        config = ReceiverConfig(
            database_dsn=for_asyncpg(world.stage.database_url),
            queue_url=redis_url,
            secrets={"STRIPE_WEBHOOK_SECRETS": ("whsec_nobody_sends_by_this",)}
            | {"DUNNING_EVENT_SOURCES": sources}
            | secrets,
            livemode=False,
            host="127.0.0.1",
            port=0,
        )
        self._world = world
        self._receiver = Receiver(
            config, Log("json", "info", io.StringIO()), clock=lambda: world.now.timestamp()
        )
        world.run(self._start())

    async def _start(self) -> None:
        self._receiver.start()

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Deliver, and let the worker do all that follows."""

        async def deliver() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._receiver)
            async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
                return await client.post(f"/webhooks/{path}", content=body, headers=headers)

        answer = self._world.run(deliver())
        waiting = [row.id for row in self._world.rows(inbox) if row.status == "pending"]
        self._world.run(self._wake(waiting))
        return answer

    async def _wake(self, rows: list[int]) -> None:
        await self._world.services.nudge(EVENTS, rows)
        await self._world.drain()

    def close(self) -> None:
        self._world.run(self._receiver.close())


@dataclass
class Told(Story):
    """The story of a customer of whom the source `acme` tells in the neutral format."""

    door: Any = None
    _number: int = 0

    def tell(self, kind: str, *, event_id: str | None = None, **data: Any) -> int:
        """Send an event of now; the status of the answer."""
        self._number += 1
        named = event_id or f"evt_{self._number}"
        body = json.dumps(
            {"id": named, "type": kind, "createdAt": self.world.now.isoformat(), "data": data}
        ).encode()
        return int(self.door.post("events/acme", body, signed(named, body, self.world)).status_code)

    def failed(self, attempt: int, error: str = "insufficient_funds", **data: Any) -> int:
        """As the payload of the format's origin: the subscription, which attempt it was, and why."""
        told = {"subscriptionId": "sub_1", "attempt": attempt, "error": error}
        return self.tell("subscription.payment_failed", **(told | data))


def signed(named: str, body: bytes, world: World) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0."""
    seconds = str(int(world.now.timestamp()))
    digest = hmac.digest(KEY, f"{named}.{seconds}.".encode() + body, "sha256")
    signature = binascii.b2a_base64(digest, newline=False).decode()
    return {"webhook-id": named, "webhook-timestamp": seconds, "webhook-signature": f"v1,{signature}"}


def told_of(world: World, door: Door, customer: str = "cus_1", email: str = "ada@customer.example") -> Told:
    """A customer whose renewal is charged now."""
    world.advance(None, RENEWAL - timedelta(hours=1))
    story = Told(world, None, Person(customer), None, email, RENEWAL, door)  # type: ignore[arg-type]  # of no Stripe
    story.until(0)
    return story
