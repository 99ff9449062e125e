"""One event that cannot be applied costs the events beside it nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from db import inbox
from db.models import cases
from db.models import inbox as table
from db.sweep import MOST_ATTEMPTS, sweep
from dunning.policy import Policy
from providers.stripe.api import StripeGateway
from providers.stripe.webhook import HANDLED
from sandbox.stripe import BillingEngine, Card, Fault, SimulatedStripe, custom_schedule, simulated_stripe
from sandbox.stripe.objects import render_event
from sandbox.stripe.records import Event, Subscription
from sandbox.stripe.versions import NEW, ApiVersion
from worker.queues import Wakeup
from worker.services import Services
from worker.usecases.apply_events import apply_events

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def play(database_url: str, scene: Callable[[AsyncEngine], Awaitable[None]]) -> None:
    """Run a scene on the database."""

    async def run() -> None:
        engine = create_async_engine(database_url, poolclass=NullPool)
        await scene(engine)
        await engine.dispose()

    asyncio.run(run())


async def store(engine: AsyncEngine, events: Iterable[Event]) -> list[int]:
    """Put events into the inbox, as the receiver does; the ids of their rows."""
    rows = [
        {
            "source": "stripe",
            "event_id": event.id,
            "type": event.type,
            "livemode": False,
            "status": "pending",
            "payload": json.dumps(render_event(event, ApiVersion(NEW))).encode(),
        }
        for event in events
        if event.type in HANDLED
    ]
    async with engine.begin() as connection:
        return list(await connection.scalars(insert(table).returning(table.c.id), rows))


async def column(engine: AsyncEngine, *columns: Any) -> list[Any]:
    """The rows of these columns."""
    async with engine.connect() as connection:
        return list(await connection.execute(select(*columns)))


async def an_hour_later(engine: AsyncEngine) -> Sequence[int]:
    """What the scheduler then hands out of the inbox."""
    async with engine.begin() as connection:
        await connection.execute(update(table).values(due_at=table.c.due_at - timedelta(hours=1)))
    async with engine.begin() as connection:
        return (await sweep(connection, now=NOW, delay=0)).events


def services(engine: AsyncEngine, stripe: SimulatedStripe) -> Services:
    """The worker's parts; nobody is woken."""

    async def nobody(wakeup: Wakeup, ids: Sequence[int]) -> None:
        """The scheduler finds it all again."""

    gateway = StripeGateway(stripe.api_key, api_base=stripe.url)
    return Services(
        engine=engine, gateways={"stripe": gateway}, policy=Policy(), nudge=nobody, clock=lambda: NOW
    )


def failing_renewal(billing: BillingEngine, email: str) -> Subscription:
    """A subscription whose first renewal fails two months after the simulation's start."""
    customer = billing.create_customer(email, card=Card(outcomes=("ok", "do_not_honor")))
    return billing.create_subscription(customer, billing.create_price(), policy=custom_schedule(60))


def test_an_answer_nobody_understands_holds_up_only_its_own_events(database_url: str) -> None:
    """Two renewals fail in one batch and Stripe refuses to show one of the invoices: the other one is dunned.

    The refused events keep their error, and are applied as soon as Stripe shows the invoice.
    """
    with simulated_stripe() as stripe:
        ada, bob = (failing_renewal(stripe.engine, f"{name}@customer.example") for name in ("ada", "bob"))
        stripe.engine.advance(None, datetime(2026, 2, 1, 2, tzinfo=UTC))
        refused, shown = (stripe.engine.latest_invoice(each).id for each in (ada, bob))

        async def scene(engine: AsyncEngine) -> None:
            rows = await store(engine, stripe.engine.events())
            stripe.faults.add(Fault(match=refused, status=400, times=1000))
            await apply_events(services(engine, stripe), rows)
            assert await column(engine, cases.c.invoice) == [(shown,)]
            errors = {
                row.last_error.partition(":")[0]
                for row in await column(engine, table.c.status, table.c.last_error)
                if row.status == "pending"
            }
            assert errors == {"RefusedError"}

            stripe.faults.clear()
            await apply_events(services(engine, stripe), await an_hour_later(engine))
            assert {row.status for row in await column(engine, table.c.status)} == {"done"}
            assert {row.invoice for row in await column(engine, cases.c.invoice)} == {refused, shown}

        play(database_url, scene)


def test_an_event_that_waits_in_a_long_queue_is_never_retired(database_url: str) -> None:
    """The scheduler hands it out again and again, but only what a worker has taken up counts as a try."""
    billing = BillingEngine()
    billing.create_customer("ada@customer.example", card=Card())

    async def scene(engine: AsyncEngine) -> None:
        rows = await store(engine, billing.events())
        assert rows
        for _ in range(MOST_ATTEMPTS + 1):
            assert list(await an_hour_later(engine)) == rows
        found = await column(engine, table.c.status, table.c.attempts)
        assert found == [("pending", 0)] * len(rows)

    play(database_url, scene)


def test_an_event_that_kills_the_worker_each_time_is_retired(database_url: str) -> None:
    """A try is counted before the event is looked at, so a few deaths are enough, and the rest goes on."""
    billing = BillingEngine()
    billing.create_customer("ada@customer.example", card=Card())

    async def scene(engine: AsyncEngine) -> None:
        poison, *others = await store(engine, billing.events())
        for _ in range(MOST_ATTEMPTS):
            async with engine.begin() as connection:
                assert [row.id for row in await inbox.take_up(connection, [poison])] == [poison]
            handed_out = await an_hour_later(engine)
        assert list(handed_out) == others
        found = {row.id: row.status for row in await column(engine, table.c.id, table.c.status)}
        assert found == {poison: "dead"} | dict.fromkeys(others, "pending")

    play(database_url, scene)


def test_what_came_with_an_event_that_kills_does_not_wait_for_its_end(database_url: str) -> None:
    """Both were in hand at the first death; after the second it has its turn before the other."""
    billing = BillingEngine()
    billing.create_customer("ada@customer.example", card=Card())

    async def scene(engine: AsyncEngine) -> None:
        both = (await store(engine, billing.events()))[:2]
        taken = []
        for _ in range(3):
            async with engine.begin() as connection:
                taken.append([row.id for row in await inbox.take_up(connection, both)])
            await an_hour_later(engine)
        assert taken == [both, both[:1], both[1:]]

    play(database_url, scene)
