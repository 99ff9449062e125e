"""A billing system of the merchant's own: charges, tries again, and tells of it in the neutral format."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from db import accounts
from outbound.signing import headers
from sandbox.demo.days import MORNING, at, month_before
from sandbox.demo.stage import OWN, OWN_SECRET, Stage
from sandbox.demo.story import Story
from worker.rehearsal import CLOCK

# After everybody else's, so that it stands on its own in what is shown.
LAG = timedelta(hours=1, minutes=30)


@dataclass(slots=True)
class Client:
    """A customer, and the one payment the story is about. `due` is when it is charged next, if ever."""

    story: Story
    clock: OwnBilling
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
        """The page knows one invoice, which can be paid once."""
        if page != f"{self.pages}{self.number}" or not self.failures:
            return False
        self.due, self.failures = None, 0
        await self.clock.tell("subscription.payment_succeeded", self)
        return True

    def told(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """What every event says of them."""
        buys = self.story.purchase
        person = {"email": self.story.email, "name": self.story.name, "country": self.story.country}
        return {
            "subscriptionId": f"agreement_{self.number}",
            "customerId": self.ref,
            "customer": person,
            "plan": buys.plan,
            "amount": buys.amount,
            "currency": buys.currency,
            "payUrl": f"{self.pages}{self.number}",
            **more,
        }


@dataclass(eq=False)
class OwnBilling:
    """The system with its clock, which is ours: it has none itself."""

    stage: Stage
    engine: AsyncEngine
    at: datetime
    lag: timedelta = LAG
    clients: list[Client] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        return OWN, CLOCK

    def now(self) -> datetime:
        return self.at

    def next_due(self) -> datetime | None:
        return min((each.due for each in self.clients if each.due), default=None)

    async def advance(self, to: datetime) -> None:
        """Charge whoever is due until then. After the last retry a debt stays open."""
        while (due := self.next_due()) and due <= to:
            await self._move(due)
            for each in self.clients:
                if each.due == due:
                    await self._charge(each)
        await self._move(to)

    async def _charge(self, client: Client) -> None:
        outcomes, delays = client.story.outcomes, client.story.retries.delays
        code = outcomes[min(client.failures, len(outcomes) - 1)]
        if code == "ok":
            client.due, client.failures = None, 0
            await self.tell("subscription.payment_succeeded", client)
            return
        client.failures += 1
        left = delays[client.failures - 1 :]
        again = self.at + timedelta(seconds=left[0]) if left else None
        client.due = again
        said = {"attempt": client.failures, "error": code, "nextAttemptAt": again and again.isoformat()}
        await self.tell("subscription.payment_failed", client, said)
        if client.failures == 1:
            await self.tell("subscription.past_due", client)

    async def tell(self, kind: str, client: Client, more: Mapping[str, Any] | None = None) -> None:
        """Send it, and once more, as senders do that did not hear the answer."""
        named = f"{client.ref}-{kind}-{self.at:%Y%m%dT%H%M%S}"
        event = {"id": named, "type": kind, "createdAt": self.at.isoformat(), "data": client.told(more or {})}
        body = json.dumps(event).encode()
        async with httpx.AsyncClient(trust_env=False) as http:
            for _ in range(2):
                signed = headers([OWN_SECRET], named, int(time.time()), body)
                answer = await http.post(
                    f"{self.stage.receiver_url}/webhooks/events/{OWN}", content=body, headers=signed
                )
                answer.raise_for_status()
                self.stage.told.append(named)

    async def _move(self, to: datetime) -> None:
        self.at = max(self.at, to)
        async with self.engine.begin() as connection:
            await accounts.move_clocks(connection, {self.key: self.at})


async def clients(stage: Stage, engine: AsyncEngine, stories: Sequence[Story]) -> list[Client]:
    """Everybody who pays there, after a month that went well."""
    system = OwnBilling(stage, engine, month_before(0) + LAG)
    await system.advance(system.at)
    for number, story in enumerate(stories, 1):
        client = Client(story, system, number, at(story.renewal_day, MORNING) + LAG)
        system.clients.append(client)
        await system.tell("subscription.payment_succeeded", client)
    return list(system.clients)
