"""A whole dunning with each process in the rights of its role: nothing that they do is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from db import alarms, breaker, endpoints, heartbeats, models
from db.retention import Keep
from db.session import create_engine
from dunning.policy import Policy
from outbound.signing import new_secret
from sandbox.inbox import Inbox
from sandbox.stripe import custom_schedule, simulated_stripe
from sandbox.stripe.records import Event
from tests.roles import as_role
from tests.scenarios.arrivals import store
from tests.scenarios.stage import Stage
from tests.scenarios.story import subscriber
from tests.scenarios.world import START, World
from tests.worker.breaking import commit
from tests.worker.test_mail_results import about, hear
from worker.breaker import watch
from worker.queues import EVENTS, Wakeup
from worker.retention import Retention
from worker.schedule import tick
from worker.usecases.sound_alarm import sound_alarm
from worker.watching import Watch

DAY = timedelta(days=1)


class Separated(World):
    """The scheduler looks with its rights, and the worker does everything else with its own."""

    def separate(self, url: str) -> None:
        """From now on."""
        self.scheduler = create_engine(as_role(url, "scheduler"), name="scheduler", pool_size=2)
        worker = create_engine(as_role(url, "worker"), name="worker", pool_size=8)
        self.services = replace(self.services, engine=worker)

    def close(self) -> None:
        for engine in (self.scheduler, self.services.engine):
            self.run(engine.dispose())
        super().close()

    async def _settle(self, events: Sequence[Event]) -> None:
        async with self.stage.engine.begin() as connection:
            rows = await store(connection, events, self.version, self.now)
        await self._nudge(EVENTS, rows)
        await self.drain()

    async def _look(self) -> None:
        async def hand_out(wakeup: Wakeup, ids: Sequence[int]) -> None:
            self.queue.extend([(wakeup, list(ids))] if ids else [])

        await tick(self.scheduler, hand_out, clock=lambda: self.now, delay=0.0)


@pytest.fixture
def separated(database_url: str, inbox: Inbox) -> Iterator[Separated]:
    """A world in which nobody is the owner of the tables."""
    with (
        closing(Stage(database_url)) as stage,
        simulated_stripe(now=START, policy=custom_schedule(3, 5, 7)) as stripe,
    ):
        world = Separated(stage, stripe, inbox, policy=Policy())
        world.separate(database_url)
        with closing(world):
            yield world


def test_a_whole_dunning_needs_no_more_than_the_roles_give(separated: Separated, redis_url: str) -> None:
    """Mails, a bounce, calls, a lost access, its return, the application told; watching, cleaning, alarms."""
    world = separated

    async def owned() -> None:
        async with world.stage.engine.begin() as connection:
            await endpoints.add(connection, "http://127.0.0.1:9/", new_secret())
            await alarms.sound(connection, "endpoint", 1, {"host": "127.0.0.1", "why": "it failed"})

    world.run(owned())
    story = subscriber(world, "do_not_honor", "do_not_honor", "do_not_honor", wall=True).until(2)
    step = next(row.step for row in world.rows(models.outbox) if row.kind == "mail")
    assert hear(world, about(step, "email.delivered")) == ["done"]
    story.until(16)
    assert story.level()[0] == "revoked"
    assert story.calls()
    world.run(sound_alarm(world.services, world.courier, [1]))

    async def watched() -> None:
        await watch(world.scheduler, world.services.nudge, None)
        async with world.scheduler.begin() as connection:
            await heartbeats.beat(connection, "scheduler-1", "scheduler", {})
            await breaker.trip(connection, "a surge")
            await heartbeats.stopped(connection, "scheduler-1")
        async with world.services.engine.begin() as connection:
            await heartbeats.beat(connection, "worker-1", "worker", {})
            await endpoints.keep_to(connection, [])
        looking = Watch(world.scheduler, redis_url)
        await looking.look()
        await looking.survey()
        await Retention(Keep(*[DAY] * 5), lambda: 0.0).look(world.scheduler)

    world.run(watched())
    assert commit(world, breaker.tripped)
    assert all(row.status in ("sent", "suppressed") for row in world.rows(models.outbox))
