"""A world in one process: the simulated Stripe, a real database and mail server, and the worker's own code.

Nothing of ours is replaced: events go into the inbox as the receiver stores them, and wake-ups are
collected instead of queued and then carried out by the same use cases that the actors call.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db import models
from dunning.policy import Policy
from emails.brand import Brand
from emails.smtp import SmtpTransport
from providers.stripe_api import StripeGateway
from providers.stripe_webhook import envelope
from sandbox.inbox import Inbox
from sandbox.mail import Mail
from sandbox.stripe import Card, SimulatedStripe
from sandbox.stripe.objects import render_event
from sandbox.stripe.records import Customer, Event, Subscription, TestClock
from sandbox.stripe.versions import NEW, ApiVersion
from worker.courier import Courier, Sender
from worker.queues import CASES, EVENTS, MAIL, TEAM, Wakeup
from worker.services import Services
from worker.usecases.advance_cases import advance_cases
from worker.usecases.apply_events import apply_events
from worker.usecases.deliver import deliver

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
TEAM_ADDRESS = "success@merchant.example"


class World:
    """Everything a scenario needs. Customers live on test clocks; `days` walks one forward and settles."""

    def __init__(
        self, stripe: SimulatedStripe, database_url: str, inbox: Inbox, policy: Policy, version: str = NEW
    ) -> None:
        self.stripe, self.inbox, self.policy = stripe, inbox, policy
        self.version = ApiVersion(version)
        self.engine = create_async_engine(database_url, poolclass=NullPool)
        self.queue: deque[tuple[Wakeup, list[int]]] = deque()
        self.services = Services(
            engine=self.engine,
            gateways={"stripe": StripeGateway(stripe.api_key, api_base=stripe.url)},
            policy=policy,
            nudge=self._nudge,
            team_channels=("mail",),
            clock=lambda: START,
        )
        self.courier = Courier(
            sender=Sender(
                address="Acme <billing@merchant.example>",
                reply_to="support@merchant.example",
                domain="merchant.example",
                brand=Brand("Acme", "support@merchant.example", "https://merchant.example"),
                timezone=ZoneInfo("UTC"),
                livemode=False,
                team_address=TEAM_ADDRESS,
            ),
            transport=SmtpTransport(inbox.url),
        )
        self._heard = 0

    async def _nudge(self, wakeup: Wakeup, ids: Sequence[int]) -> None:
        if ids:
            self.queue.append((wakeup, list(ids)))

    # the story

    def subscriber(
        self, email: str | None = "ada@customer.example", *, card: Card, amount: int = 1900, **options: Any
    ) -> tuple[TestClock, Customer, Subscription]:
        """A customer on a test clock of their own whose first payment went through."""
        clock = self.stripe.engine.create_clock(START)
        price = self.stripe.engine.create_price(
            amount, options.pop("currency", "usd"), product_name="Team plan"
        )
        policy = options.pop("retries", None)
        customer = self.stripe.engine.create_customer(email, clock=clock, card=card, **options)
        return clock, customer, self.stripe.engine.create_subscription(customer, price, policy=policy)

    async def days(self, clock: TestClock, days: float, *, step: float = 1.0) -> None:
        """Let time pass on a clock, in steps, doing everything that becomes due."""
        end = self.stripe.engine.now(clock) + timedelta(days=days)
        while (now := self.stripe.engine.now(clock)) < end:
            self.stripe.engine.advance(clock, min(end, now + timedelta(days=step)))
            await self.settle()

    async def settle(self, *, shuffle: int | None = None, twice: bool = False) -> None:
        """Deliver what Stripe has said since and do all that follows from it."""
        await self.store(self.new_events(), shuffle=shuffle, twice=twice)
        await self.drain()

    def new_events(self) -> list[Event]:
        events = self.stripe.engine.events()
        fresh, self._heard = events[self._heard :], len(events)
        return fresh

    async def store(
        self, events: Sequence[Event], *, shuffle: int | None = None, twice: bool = False
    ) -> None:
        """Put events into the inbox as the receiver does, and wake the worker for each by itself."""
        events = [*events, *events] if twice else list(events)
        if shuffle is not None:
            Random(shuffle).shuffle(events)  # noqa: S311  # disorder, not a secret
        for event in events:
            body = json.dumps(render_event(event, self.version)).encode()
            seen = envelope(body)
            if seen.disposition == "pending":
                await self._store(body, seen.event_id, seen.type, seen.created_at)

    async def _store(self, body: bytes, event_id: str, kind: str, created_at: datetime | None) -> None:
        async with self.engine.begin() as connection:
            known = await connection.execute(
                select(models.inbox.c.id).where(models.inbox.c.event_id == event_id)
            )
            row = known.scalar_one_or_none()
            if row is None:
                added = await connection.execute(
                    insert(models.inbox)
                    .values(
                        source="stripe",
                        event_id=event_id,
                        type=kind,
                        livemode=False,
                        created_at=created_at,
                        status="pending",
                        payload=body,
                    )
                    .returning(models.inbox.c.id)
                )
                row = added.scalar_one()
        self.queue.append((EVENTS, [row]))

    async def drain(self) -> None:
        """Carry out wake-ups until nobody has anything left to do."""
        while self.queue:
            wakeup, ids = self.queue.popleft()
            if wakeup is EVENTS:
                await apply_events(self.services, ids)
            elif wakeup is CASES:
                await advance_cases(self.services, ids)
            elif wakeup in (MAIL, TEAM):
                for row in ids:
                    await deliver(self.services, self.courier, row)

    # what came of it

    def mails(self, email: str = "ada@customer.example") -> list[Mail]:
        return self.inbox.to(email)

    async def rows(self, table: Any, *columns: Any) -> list[Any]:
        async with self.engine.connect() as connection:
            return list(await connection.execute(select(*(columns or (table,))).select_from(table)))

    async def access(self, customer: Customer) -> Any:
        async with self.engine.connect() as connection:
            found = await connection.execute(
                select(models.access)
                .join(models.customers, models.customers.c.id == models.access.c.customer_id)
                .where(models.customers.c.ref == customer.id)
            )
            return found.one()

    async def steps(self) -> list[tuple[str, str]]:
        """(step, status) of every effect, in the order they were decided."""
        rows = await self.rows(
            models.outbox, models.outbox.c.id, models.outbox.c.step, models.outbox.c.status
        )
        return [(row.step, row.status) for row in sorted(rows)]
