"""A world in one process: the simulated Stripe, a real database and mail server, and the worker's own code.

Nothing of ours is replaced: events go into the inbox as the receiver stores them, and wake-ups are
collected instead of queued and then carried out by the same use cases that the actors call. One event loop
and one pool of connections are kept, as in a real worker.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from db import models
from db.session import create_engine
from dunning.policy import Policy
from emails.brand import Brand
from emails.smtp import SmtpTransport
from providers.stripe_api import StripeGateway
from providers.stripe_webhook import envelope
from sandbox.inbox import Inbox
from sandbox.stripe import SimulatedStripe
from sandbox.stripe.objects import render_event
from sandbox.stripe.records import Customer, Event
from sandbox.stripe.versions import NEW, ApiVersion
from worker.courier import Courier, Sender
from worker.queues import CASES, EVENTS, MAIL, TEAM, Wakeup
from worker.schedule import tick
from worker.services import Services
from worker.usecases.advance_cases import advance_cases
from worker.usecases.apply_events import apply_events
from worker.usecases.deliver import deliver_each

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
TEAM_ADDRESS = "success@merchant.example"
DOMAIN = "merchant.example"
T = TypeVar("T")


class Stage:
    """An event loop with a pool of connections to one database: what worlds that follow one another share."""

    def __init__(self, database_url: str) -> None:
        self._runner = asyncio.Runner()
        self.engine = create_engine(database_url, name="world", pool_size=8)

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(step)

    def clear(self) -> None:
        """Empty the database."""
        names = ", ".join(models.metadata.tables)
        self.run(self._execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))

    async def _execute(self, statement: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement))

    def close(self) -> None:
        self.run(self.engine.dispose())
        self._runner.close()


@dataclass(frozen=True)
class Manner:
    """How events reach the worker: in one message or each by itself, shuffled, repeated, to many workers."""

    batched: bool = True
    seed: int | None = None
    twice: bool = False
    at_once: bool = False


CALM = Manner()


class World:
    """Everything a scenario needs; `now` is the wall clock, by which customers without a test clock live."""

    def __init__(
        self,
        stage: Stage,
        stripe: SimulatedStripe,
        inbox: Inbox,
        *,
        policy: Policy | None = None,
        version: str = NEW,
        chat_url: str | None = None,
        smtp_timeout: float = 30.0,
        manner: Manner = CALM,
    ) -> None:
        self.stripe, self.inbox, self.manner = stripe, inbox, manner
        self.disorder = None if manner.seed is None else Random(manner.seed)  # noqa: S311  # disorder, not a secret
        self.version = ApiVersion(version)
        self.now = START
        self.queue: deque[tuple[Wakeup, list[int]]] = deque()
        self.run = stage.run
        # Redis loses every wake-up; only the scheduler's own are carried out.
        self.forgetful = False
        # These wake-ups are lost; the rows they spoke of stay pending.
        self.held: set[Wakeup] = set()
        self._heard = 0
        self.services = Services(
            engine=stage.engine,
            gateways={"stripe": StripeGateway(stripe.api_key, api_base=stripe.url)},
            policy=policy or Policy(),
            nudge=self._nudge,
            team_channels=("mail", "chat") if chat_url else ("mail",),
            clock=lambda: self.now,
        )
        self.transport = SmtpTransport(inbox.url, timeout=smtp_timeout)
        self.courier = Courier(
            sender=Sender(
                address="Acme <billing@merchant.example>",
                reply_to="support@merchant.example",
                domain=DOMAIN,
                brand=Brand("Acme", "support@merchant.example", "https://merchant.example"),
                timezone=ZoneInfo("UTC"),
                livemode=False,
                billing_page_url="https://merchant.example/billing",
                team_address=TEAM_ADDRESS,
            ),
            transport=self.transport,
            chat_url=chat_url,
        )

    def close(self) -> None:
        self.run(self.transport.close())

    async def _nudge(self, wakeup: Wakeup, ids: Sequence[int]) -> None:
        if ids and not self.forgetful and wakeup not in self.held:
            self.queue.append((wakeup, list(ids)))

    # what Stripe says, and what follows

    def settle(self) -> None:
        """Deliver what Stripe has said since, in the world's `manner`, and do all that follows from it."""
        self.run(self._settle(self.hear()))

    async def _settle(self, events: Sequence[Event]) -> None:
        self._wake(await self.store(events))
        if self.manner.at_once:
            await self.drain_at_once()
        else:
            await self.drain()

    def _wake(self, rows: list[int]) -> None:
        chunks = [rows] if self.manner.batched else [[row] for row in rows]
        if self.manner.twice:
            chunks += chunks
        if self.disorder:
            chunks = [self.disorder.sample(chunk, len(chunk)) for chunk in chunks]
            self.disorder.shuffle(chunks)
        if not self.forgetful:
            self.queue.extend((EVENTS, chunk) for chunk in chunks if chunk)

    def hear(self) -> list[Event]:
        """What has happened at Stripe since the last time, in its order."""
        events = self.stripe.engine.events()
        fresh, self._heard = events[self._heard :], len(events)
        return fresh

    async def store(self, events: Sequence[Event]) -> list[int]:
        """Put events into the inbox as the receiver does; returns the row of each delivery."""
        rows = []
        for event in events:
            body = json.dumps(render_event(event, self.version)).encode()
            seen = envelope(body)
            if seen.disposition == "pending":
                rows.append(await self._store(body, seen.event_id, seen.type, seen.created_at))
        return rows

    async def _store(self, body: bytes, event_id: str, kind: str, created_at: datetime | None) -> int:
        inbox = models.inbox
        row = {
            "source": "stripe",
            "event_id": event_id,
            "type": kind,
            "livemode": False,
            "created_at": created_at,
            "received_at": self.now,
            "status": "pending",
            "payload": body,
        }
        async with self.services.engine.begin() as connection:
            await connection.execute(insert(inbox).values(row).on_conflict_do_nothing())
            known = await connection.execute(select(inbox.c.id).where(inbox.c.event_id == event_id))
            return int(known.scalar_one())

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

    def change_customer(self, customer: Customer, **fields: Any) -> None:
        """The merchant, or the customer in the portal, corrects a record at Stripe."""
        ledger = self.stripe.engine.ledger
        with ledger.lock:
            changed = replace(ledger.get(Customer, customer.id), **fields)
            ledger.change("customer.updated", changed, at=ledger.now(customer.test_clock))
        self.settle()

    # time

    def advance(self, clock: Any, to: datetime) -> None:
        """Let a test clock, or with None the wall clock, reach `to` and everything happen that is due."""
        self.stripe.engine.advance(clock, to)
        if clock is None:
            self.now = to
        self.settle()
        if clock is None:
            self.tick()

    def tick(self) -> None:
        """One round of the scheduler, and all that follows from it."""
        self.run(self._tick())

    async def _tick(self) -> None:
        async def hand_out(wakeup: Wakeup, ids: Sequence[int]) -> None:
            self.queue.extend([(wakeup, list(ids))] if ids else [])

        await tick(self.services.engine, hand_out, clock=lambda: self.now, delay=0.0)
        await self.drain()

    def machine_time(self, passed: timedelta) -> None:
        """Let the database's clock, by which leases and postponements run, be later by so much.

        The scheduler looks every minute of it, as it would have.
        """
        self.run(self._machine_time(passed))

    async def _machine_time(self, passed: timedelta) -> None:
        async with self.services.engine.begin() as connection:
            await connection.execute(
                update(models.outbox).values(
                    due_at=models.outbox.c.due_at - passed,
                    lease_until=models.outbox.c.lease_until - passed,
                    handed_at=models.outbox.c.handed_at - passed,
                )
            )
            await connection.execute(update(models.inbox).values(due_at=models.inbox.c.due_at - passed))
            await connection.execute(update(models.cases).values(swept_at=models.cases.c.swept_at - passed))
        await self._tick()

    # what came of it

    def rows(self, table: Any, *columns: Any) -> list[Any]:
        return self.run(self._rows(table, *columns))

    async def _rows(self, table: Any, *columns: Any) -> list[Any]:
        async with self.services.engine.connect() as connection:
            query = select(*(columns or (table,))).select_from(table)
            return list(await connection.execute(query))

    def effects(self) -> list[tuple[str, str]]:
        """(step, status) of every effect, in the order they were decided."""
        box = models.outbox
        return [(row.step, row.status) for row in sorted(self.rows(box, box.c.id, box.c.step, box.c.status))]

    def unfinished(self) -> int:
        """How many events and effects still wait for somebody."""
        return self.run(self._unfinished())

    async def _unfinished(self) -> int:
        async with self.services.engine.connect() as connection:
            events = select(func.count()).where(models.inbox.c.status != "done")
            effects = select(func.count()).where(models.outbox.c.status.in_(("pending", "sending")))
            return int((await connection.execute(events)).scalar_one()) + int(
                (await connection.execute(effects)).scalar_one()
            )

    def with_services(self, **changes: Any) -> Services:
        """The same services but for some parts."""
        return replace(self.services, **changes)

    def all_at_once(self, *steps: Awaitable[Any]) -> list[Any]:
        async def together() -> list[Any]:
            return list(await asyncio.gather(*steps))

        return self.run(together())
