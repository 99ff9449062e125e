"""Puts the people of the stories on stage: test clocks, customers with cards, subscriptions a month old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.demo.days import month_before
from sandbox.demo.story import Story
from sandbox.stripe import BillingEngine
from sandbox.stripe.records import Customer, Subscription, TestClock

# Stripe's own limit.
CUSTOMERS_PER_CLOCK = 3
# Between the renewals of two clocks, so that not everything happens in the same minute.
STAGGER = timedelta(minutes=13)


@dataclass(frozen=True, slots=True)
class Clock:
    """A test clock of the simulated Stripe."""

    engine: BillingEngine
    record: TestClock
    lag: timedelta

    @property
    def key(self) -> tuple[str, str]:
        return "stripe", self.record.id

    def now(self) -> datetime:
        return self.engine.now(self.record)

    def next_due(self) -> datetime | None:
        return self.engine.next_due(self.record)

    async def advance(self, to: datetime) -> None:
        self.engine.advance(self.record, to)


@dataclass(frozen=True, slots=True)
class Role:
    """One customer of the simulated Stripe, and the story they live; a newcomer has no subscription yet."""

    story: Story
    customer: Customer
    subscription: Subscription | None
    clock: Clock

    @property
    def source(self) -> str:
        return "stripe"

    @property
    def ref(self) -> str:
        return self.customer.id


def cast(engine: BillingEngine, stories: Sequence[Story]) -> list[Role]:
    """Everybody in the order of the stories; all but newcomers subscribe and pay for a month."""
    roles: dict[str, Role] = {}
    for number, together in enumerate(_sharing_a_clock(stories)):
        lag = number * STAGGER
        start = month_before(together[0].renewal_day) + lag
        clock = Clock(engine, engine.create_clock(start, f"demo {number + 1}"), lag)
        for story in together:
            roles[story.email] = _enter(engine, story, clock)
    return [roles[story.email] for story in stories]


def subscribe(engine: BillingEngine, story: Story, customer: Customer) -> Subscription:
    """Buy what the story wants, at the present time of the customer's clock."""
    buys = story.purchase
    price = engine.create_price(buys.amount, buys.currency, product_name=buys.plan)
    return engine.create_subscription(customer, price, policy=story.retries)


def _enter(engine: BillingEngine, story: Story, clock: Clock) -> Role:
    customer = engine.create_customer(
        story.email, story.name, clock=clock.record, card=story.card, preferred_locales=story.locales
    )
    subscription = None if story.newcomer else subscribe(engine, story, customer)
    return Role(story, customer, subscription, clock)


def _sharing_a_clock(stories: Sequence[Story]) -> list[list[Story]]:
    """Those who renew on the same day, three at a time."""
    groups: list[list[Story]] = []
    for story in sorted(stories, key=lambda story: story.renewal_day):
        last = groups[-1] if groups else []
        if last and len(last) < CUSTOMERS_PER_CLOCK and last[0].renewal_day == story.renewal_day:
            last.append(story)
        else:
            groups.append([story])
    return groups
