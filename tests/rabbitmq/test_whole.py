"""From the webhook to the mail by RabbitMQ alone: all of our programs, as a user starts them; no Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.demo.cast import Role
from sandbox.demo.days import at
from sandbox.demo.stage import Stage, stage
from sandbox.demo.story import Story
from tests.chaos.conftest import Tell
from tests.processes.subscribed import settled, subscribed
from tests.rabbitmq.conftest import every_queue
from tests.rabbitmq.server import RabbitServer
from tests.sandbox.machine import until
from tests.webhooks.process import wait_until

SWEPT_AFTER = 10.0  # seconds, as in production
SETTLED_WITHIN = 60.0  # what is due is handed out again after three times as long
MIDDAY = timedelta(hours=12)


@pytest.fixture
def scene(broker_url: str, tmp_path: Path) -> Iterator[Stage]:
    """Everybody at work, by the times of production: nothing that was not woken for is looked at for 10 s."""
    settings = {"REDIS_URL": "", "BROKER_URL": broker_url, "DUNNING_SWEEP_DELAY_SECONDS": f"{SWEPT_AFTER}"}
    with stage(tmp_path / "stage", seed=1, settings=settings) as scene:
        # Whatever they do now, they do it without.
        scene.valkey.stop()
        yield scene


def people(scene: Stage, number: int) -> list[Role]:
    """Customers who have paid once, and whose next payment will fail."""
    stories = [
        Story(title="", name=f"No {each}", email=f"no-{each}@customer.example", outcomes=("do_not_honor",))
        for each in range(number)
    ]
    return subscribed(scene, *stories)


def fails(scene: Stage, role: Role) -> None:
    """A day after the renewal."""
    scene.stripe.engine.advance(role.clock.record, at(1, MIDDAY) + role.clock.lag)


def mails(scene: Stage, role: Role) -> int:
    """How many they have got."""
    return len(scene.inbox.to(role.story.email))


def test_a_failed_payment_leads_to_a_mail(scene: Stage, server: RabbitServer, tell: Tell) -> None:
    """Within a second or two, since each step wakes the next one; then RabbitMQ is killed and comes back."""
    first, *_, last = people(scene, 4)  # three of them share a clock
    began = time.monotonic()
    fails(scene, first)
    wait_until(lambda: mails(scene, first), "the mail")
    took = round(time.monotonic() - began, 2)
    server.kill()
    fails(scene, last)
    server.start()
    began = time.monotonic()
    wait_until(lambda: mails(scene, last), "the mail of the one whose payment failed meanwhile")
    back = round(time.monotonic() - began, 1)
    until(lambda: settled(scene), SETTLED_WITHIN, "everything is done")
    scene.check()
    tell("webhook to mail by rabbitmq", seconds=took, after_a_kill=back)
    assert [mails(scene, role) for role in (first, last)] == [1, 1]
    assert took < SWEPT_AFTER
    assert server.queues().keys() == every_queue()
