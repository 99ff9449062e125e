"""Customers of the simulated Commet, which charges again on days 1, 3, 5 and 7 and then cancels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from sandbox.commet import CommetBooks, SimulatedCommet
from sandbox.demo.calendar import Calendar
from sandbox.demo.days import MORNING, at
from sandbox.demo.story import Story

SOURCE = "commet"
# After everybody else.
LAG = timedelta(hours=1, minutes=45)
# Days after the first charge (commet-sdk 9.7.0, docs: Failed payments).
RETRIES = (1, 3, 5, 7)


@dataclass(slots=True)
class Subscriber:
    """One customer there, and the renewal the story is about. `charges` are the times of those to come."""

    story: Story
    clock: Calendar
    books: CommetBooks
    ref: str
    subscription: str
    charges: list[datetime]
    failures: int = 0
    source: str = SOURCE

    @property
    def due(self) -> datetime | None:
        return self.charges[0] if self.charges else None

    @property
    def pages(self) -> str:
        return "https://pay.commet.co/recover/"

    async def pay(self, page: str) -> bool:
        """The link is good as long as something is owed."""
        if self.books.subscriptions[self.subscription]["status"] != "past_due":
            return False
        self.charges.clear()
        self.books.pay(self.subscription)
        return True

    async def charge(self) -> None:
        outcomes = self.story.outcomes
        outcome = outcomes[min(self.failures, len(outcomes) - 1)]
        decline = None if outcome == "ok" else outcome
        self.charges.pop(0)
        if self.failures:
            self.books.retry(self.subscription, decline)
        else:
            self.books.renew(self.subscription, decline)
        if decline is None:
            self.charges.clear()
        else:
            self.failures += 1


async def subscribers(
    commet: SimulatedCommet, engine: AsyncEngine, stories: Sequence[Story]
) -> list[Subscriber]:
    """Everybody who pays there, since a month ago."""
    books = commet.books

    def reached(time: datetime) -> None:
        books.now = time

    calendar = Calendar(SOURCE, engine, LAG, reached)
    await calendar.begin()
    found = []
    for number, story in enumerate(stories, 1):
        buys, renewal = story.purchase, at(story.renewal_day, MORNING) + LAG
        ref = f"user_{number}"
        bought = books.subscribe(
            story.email, ref, name=story.name, plan=buys.plan, total=buys.amount, currency=buys.currency
        )
        charges = [renewal, *(renewal + timedelta(days=day) for day in RETRIES)]
        found.append(Subscriber(story, calendar, books, ref, bought, charges))
    calendar.clients += found
    return found
