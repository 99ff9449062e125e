"""A billing system of the merchant's own: charges, tries again, and tells of it in the neutral format."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from outbound.signing import headers
from sandbox.demo.calendar import Calendar
from sandbox.demo.days import MORNING, at
from sandbox.demo.stage import OWN, OWN_SECRET, Stage
from sandbox.demo.story import Story

# After everybody at Stripe.
LAG = timedelta(hours=1, minutes=30)


@dataclass(slots=True)
class Client:
    """A customer, and the one payment the story is about. After the last retry a debt stays open."""

    story: Story
    clock: Calendar
    stage: Stage
    number: int
    due: datetime | None
    failures: int = 0
    source: str = OWN

    @property
    def ref(self) -> str:
        return f"client_{self.number}"

    @property
    def pages(self) -> str:
        return f"https://billing.merchant.example/{self.ref}/"

    async def pay(self, page: str) -> bool:
        """The page knows one payment, which can be made once."""
        if page != f"{self.pages}{self.number}" or not self.failures:
            return False
        await self._paid()
        return True

    async def charge(self) -> None:
        outcomes, delays = self.story.outcomes, self.story.retries.delays
        code = outcomes[min(self.failures, len(outcomes) - 1)]
        if code == "ok":
            await self._paid()
            return
        self.failures += 1
        left = delays[self.failures - 1 :]
        self.due = self.clock.now() + timedelta(seconds=left[0]) if left else None
        said = {"attempt": self.failures, "error": code, "nextAttemptAt": self.due and self.due.isoformat()}
        await self.tell("subscription.payment_failed", said)
        if self.failures == 1:
            await self.tell("subscription.past_due")

    async def _paid(self) -> None:
        self.due, self.failures = None, 0
        await self.tell("subscription.payment_succeeded")

    async def tell(self, kind: str, more: Mapping[str, Any] | None = None) -> None:
        """Send it, and once more, as senders do that did not hear the answer."""
        now = self.clock.now()
        named = f"{self.ref}-{kind}-{now:%Y%m%dT%H%M%S}"
        data = self._known() | dict(more or {})
        event = {"id": named, "type": kind, "createdAt": now.isoformat(), "data": data}
        body = json.dumps(event).encode()
        url = f"{self.stage.receiver_url}/webhooks/events/{OWN}"
        async with httpx.AsyncClient(trust_env=False) as http:
            for _ in range(2):
                signed = headers([OWN_SECRET], named, int(time.time()), body)
                (await http.post(url, content=body, headers=signed)).raise_for_status()
                self.stage.told.append(named)

    def _known(self) -> dict[str, Any]:
        """What every event says of them."""
        story, buys = self.story, self.story.purchase
        return {
            "subscriptionId": f"agreement_{self.number}",
            "customerId": self.ref,
            "customer": {"email": story.email, "name": story.name, "country": story.country},
            "plan": buys.plan,
            "amount": buys.amount,
            "currency": buys.currency,
            "payUrl": f"{self.pages}{self.number}",
        }


async def clients(stage: Stage, engine: AsyncEngine, stories: Sequence[Story]) -> list[Client]:
    """Everybody who pays there, after a payment a month ago."""
    calendar = Calendar(OWN, engine, LAG)
    await calendar.begin()
    found = [
        Client(story, calendar, stage, number, at(story.renewal_day, MORNING) + LAG)
        for number, story in enumerate(stories, 1)
    ]
    calendar.clients += found
    for client in found:
        await client.tell("subscription.payment_succeeded")
    return found
