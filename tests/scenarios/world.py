"""A world in one process: the simulated Stripe, a real database and mail server, and the worker's own code.

Nothing of ours is replaced: events go into the inbox as the receiver stores them, and wake-ups are
collected instead of queued and then carried out by the same use cases that the actors call.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from stripe import HTTPClient

from db.models import cases, customers, outbox, subscriptions
from dunning.hours import ALWAYS
from dunning.ladders import Ladder
from dunning.policy import Policy
from dunning.requests import Request
from dunning.segments import PolicySource
from emails.brand import Brand
from emails.smtp import SmtpTransport
from outbound.addresses import Rules
from outbound.post import Poster
from providers.stripe.api import StripeGateway
from sandbox.inbox import Inbox
from sandbox.stripe import SimulatedStripe
from sandbox.stripe.records import Customer, Event, TestClock
from sandbox.stripe.versions import NEW, ApiVersion
from tests.scenarios.arrivals import CALM, Manner, store
from tests.scenarios.stage import Stage
from worker.courier import Courier, Sender
from worker.queues import BILLING, CASES, EVENTS, MAIL, TEAM, WEBHOOKS, Wakeup
from worker.schedule import tick
from worker.services import Services
from worker.usecases.advance_cases import advance_cases
from worker.usecases.apply_events import apply_events
from worker.usecases.call_provider import call_provider_each
from worker.usecases.deliver import ATTEMPTS_WITHOUT_ADDRESS, deliver_each
from worker.usecases.instruct import instruct
from worker.usecases.outcomes import LONGEST_WAIT
from worker.usecases.tell_application import tell_each

# Seconds that Stripe's library waits before it repeats a request: half a second, of which no scenario tells.
HTTPClient.INITIAL_DELAY = 0.01

# A Friday; 31 days later is a Monday, so that days 10 and 14 of a case are in working hours.
START = datetime(2026, 1, 2, 9, tzinfo=UTC)
# Where the calendar is not the subject: mails at any hour from the first day on, one stage of access, one
# reason to call a person.
PLAIN = Policy(
    ladder=Ladder(insufficient_funds=(timedelta(0), timedelta(days=3), timedelta(days=7))),
    mail_hours=ALWAYS,
    revocation_hours=ALWAYS,
    limited_after=None,
    unresolved_after=None,
    blocked_after=None,
    last_call=None,
    high_value={},
    annual_is_high_value=False,
    most_reminders=0,
)
TEAM_ADDRESS = "success@merchant.example"
DOMAIN = "merchant.example"
SENDER = Sender(
    address="Acme <billing@merchant.example>",
    reply_to="support@merchant.example",
    domain=DOMAIN,
    brand=Brand("Acme", "support@merchant.example", "https://merchant.example"),
    timezone=ZoneInfo("UTC"),
    livemode=False,
    billing_page_url="https://merchant.example/billing",
    team_address=TEAM_ADDRESS,
)


# The merchant's application is on this machine.
POSTER = Poster(Rules((ip_network("127.0.0.0/8"),), plain=True))


class World:
    """Everything a scenario needs.

    `now` is the wall clock, by which customers without a test clock live. Wake-ups in `held` are lost, and
    in a `forgetful` world all are but the scheduler's own; the rows they spoke of stay.
    """

    def __init__(
        self,
        stage: Stage,
        stripe: SimulatedStripe,
        inbox: Inbox,
        *,
        policy: PolicySource = PLAIN,
        version: str = NEW,
        chat_url: str | None = None,
        manner: Manner = CALM,
    ) -> None:
        self.stage, self.stripe, self.inbox, self.manner = stage, stripe, inbox, manner
        self.run, self.rows, self.unfinished = stage.run, stage.rows, stage.unfinished
        self.disorder = None if manner.seed is None else Random(manner.seed)  # noqa: S311  # not a secret
        self.version = ApiVersion(version)
        self.now = START
        self.queue: deque[tuple[Wakeup, list[int]]] = deque()
        self.held: set[Wakeup] = set()
        self.forgetful = False
        self._heard = 0
        self.services = Services(
            engine=stage.engine,
            gateways={"stripe": StripeGateway(stripe.api_key, api_base=stripe.url)},
            policy=policy,
            nudge=self._nudge,
            team_channels=("mail", "chat") if chat_url else ("mail",),
            clock=lambda: self.now,
        )
        self.transport = SmtpTransport(inbox.url)
        self.courier = Courier(sender=SENDER, transport=self.transport, chat_url=chat_url)

    def close(self) -> None:
        self.run(self.transport.close())

    async def _nudge(self, wakeup: Wakeup, ids: Sequence[int]) -> None:
        if ids and not self.forgetful and wakeup not in self.held:
            self.queue.append((wakeup, list(ids)))

    # what Stripe says, and what follows

    def settle(self) -> None:
        """Deliver what Stripe has said since, in the world's `manner`, and do all that follows from it."""
        self.deliver(self.hear())

    def deliver(self, events: Sequence[Event]) -> None:
        """Deliver these events alone, and do all that follows from them."""
        self.run(self._settle(events))

    async def _settle(self, events: Sequence[Event]) -> None:
        async with self.services.engine.begin() as connection:
            rows = await store(connection, events, self.version, self.now, self.manner.forms)
        for message in self.manner.messages(rows, self.disorder):
            await self._nudge(EVENTS, message)
        await (self.drain_at_once() if self.manner.at_once else self.drain())

    def hear(self) -> list[Event]:
        """What has happened at Stripe since the last time, in its order."""
        events = self.stripe.engine.events()
        fresh, self._heard = events[self._heard :], len(events)
        return fresh

    async def drain(self) -> None:
        """Carry out wake-ups until nobody has anything left to do."""
        while self.queue:
            await self._answer(*self.queue.popleft())

    async def drain_at_once(self) -> None:
        """The same with everything that waits taken up at the same time, as by many workers."""
        while self.queue:
            waiting = [self._answer(*wakeup) for wakeup in self.queue]
            self.queue.clear()
            await asyncio.gather(*waiting)

    async def _answer(self, wakeup: Wakeup, ids: list[int]) -> None:
        if wakeup is EVENTS:
            await apply_events(self.services, ids)
        elif wakeup is CASES:
            await advance_cases(self.services, ids)
        elif wakeup in (MAIL, TEAM):
            await deliver_each(self.services, self.courier, ids)
        elif wakeup is BILLING:
            await call_provider_each(self.services, ids)
        elif wakeup is WEBHOOKS:
            await tell_each(self.services, POSTER, ids)

    def all_at_once(self, *steps: Awaitable[Any]) -> list[Any]:
        """Everything in the same moment, on the one event loop."""

        async def together() -> list[Any]:
            return list(await asyncio.gather(*steps))

        return self.run(together())

    def change_customer(self, customer: Customer, **fields: Any) -> None:
        """The merchant, or the customer in the portal, corrects a record at Stripe. Settles."""
        ledger = self.stripe.engine.ledger
        with ledger.lock:
            changed = replace(ledger.get(Customer, customer.id), **fields)
            ledger.change("customer.updated", changed, at=ledger.now(customer.test_clock))
        self.settle()

    # time

    def advance(self, clock: TestClock | None, to: datetime) -> None:
        """Let a test clock, or with None the wall clock, reach `to` and everything happen that is due."""
        self.stripe.engine.advance(clock, to)
        if clock is None:
            self.now = to
        self.settle()
        if clock is None:
            self.tick()

    def next_due(self, clock: TestClock | None, now: datetime) -> datetime | None:
        """When something is to be done next after `now`, by Stripe or by us; None: never by itself."""
        ours = [
            row.due_at.replace(microsecond=0) + timedelta(seconds=row.due_at.microsecond > 0)
            for table in (cases, subscriptions)
            for row in self.rows(table, table.c.due_at, table.c.test_clock)
            if row.due_at and row.test_clock == (clock.id if clock else None)
        ]
        stripes = self.stripe.engine.next_due(clock)
        return min((at for at in (*ours, stripes) if at and at > now), default=None)

    def tick(self) -> None:
        """One round of the scheduler, and all that follows from it."""

        async def one() -> None:
            await self._look()
            await self.drain()

        self.run(one())

    def tick_twice_at_once(self) -> None:
        """Two schedulers look in the same moment, and all workers answer in the same moment."""

        async def both() -> None:
            await asyncio.gather(self._look(), self._look())
            await self.drain_at_once()

        self.run(both())

    async def _look(self) -> None:
        async def hand_out(wakeup: Wakeup, ids: Sequence[int]) -> None:
            self.queue.extend([(wakeup, list(ids))] if ids else [])

        await tick(self.services.engine, hand_out, clock=lambda: self.now, delay=0.0)

    def tell(self, customer: Customer, request: Request) -> None:
        """A person gives an instruction, and everything happens that follows from it."""

        async def one() -> None:
            async with self.services.engine.begin() as connection:
                found = await connection.execute(select(customers.c.id).where(customers.c.ref == customer.id))
                await instruct(
                    connection,
                    found.scalar_one(),
                    request,
                    policy=self.services.policy,
                    zone=ZoneInfo("UTC"),
                    now=self.now,
                )

        self.run(one())
        self.tick()

    def machine_time(self, passed: timedelta) -> None:
        """Time passes for leases and postponements; then the scheduler looks."""
        self.run(self.stage.let_pass(passed))
        self.tick()

    def no_address_comes(self) -> None:
        """So many minutes pass on our machines that mails to nobody are given up."""
        for _ in range(ATTEMPTS_WITHOUT_ADDRESS):
            self.machine_time(LONGEST_WAIT)

    # what came of it

    def effects(self) -> list[tuple[str, str]]:
        """(step, status) of every effect, in the order they were decided."""
        rows = self.rows(outbox, outbox.c.id, outbox.c.step, outbox.c.status)
        return [(row.step, row.status) for row in sorted(rows)]
