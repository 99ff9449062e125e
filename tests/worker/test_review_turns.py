"""A mail that waits for the mail server to be done with the others has not been handed over to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from dramatiq.brokers.stub import StubBroker

from db import models
from emails.smtp import SmtpTransport
from outbound.post import Poster
from sandbox.stripe import Card, custom_schedule
from tests.scenarios.story import RENEWAL
from tests.scenarios.world import World
from tests.worker.transports import Disturbed
from worker import actors, queues
from worker.at_work import AtWork
from worker.broker import TIME_LIMIT
from worker.courier import Courier
from worker.queues import MAIL
from worker.services import Services
from worker.usecases.deliver import deliver_each


@pytest.fixture
def frozen_server() -> Iterator[str]:
    """A mail server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"


def three_mails(world: World) -> list[int]:
    """Three renewals have failed, and three mails wait to be sent."""
    engine = world.stripe.engine
    for name in ("ada", "bob", "eve"):
        card = Card(outcomes=("ok", "do_not_honor"))
        customer = engine.create_customer(f"{name}@customer.example", card=card)
        engine.create_subscription(customer, engine.create_price(), policy=custom_schedule(30))
    world.held = {MAIL}
    engine.advance(None, RENEWAL)
    world.now = RENEWAL
    world.settle()
    waiting = [row.id for row in world.rows(models.outbox) if row.status == "pending"]
    assert len(waiting) == 3
    return waiting


def test_a_frozen_mail_server_costs_no_mail(world: World, frozen_server: str) -> None:
    """Three wait for it when the actors' time is up: all are sent when the server is back."""
    waiting = three_mails(world)
    first_ended = asyncio.Event()

    async def ended() -> None:
        first_ended.set()

    async def until_the_time_limit() -> None:
        transport = Disturbed(SmtpTransport(frozen_server, timeout=1.0), after=ended)
        courier = replace(world.courier, transport=transport)
        work = [
            asyncio.create_task(deliver_each(world.services, courier, [row], enough=0.2)) for row in waiting
        ]
        await first_ended.wait()
        await asyncio.wait(work, timeout=0.5)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)

    world.run(until_the_time_limit())
    world.held = set()
    for _ in range(2):
        world.machine_time(timedelta(hours=1))

    assert {row.status for row in world.rows(models.outbox)} == {"sent"}
    assert len(world.inbox.messages) == 3


def test_a_slow_mail_server_is_given_the_time_it_may_take() -> None:
    """Thirty seconds for each of ten answers: the others' time limit would cut every send in the middle."""
    broker = StubBroker()

    def nobody() -> tuple[Services, Courier, Poster]:
        raise AssertionError

    actors.declare(broker, nobody, AtWork())
    limits = {wakeup.queue: broker.get_actor(wakeup.actor).options["time_limit"] for wakeup in queues.WAKEUPS}
    assert limits["mail"] == limits["team"] > 10 * 30_000
    assert limits["events"] == limits["cases"] == TIME_LIMIT
