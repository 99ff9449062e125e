"""A scheduler is killed at each point of its tick: the next one forgets no row and trips nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from db import endpoints, models, outbox
from db.outbox import NewEffect
from db.sweep import Swept
from dunning.breaker import Limits
from dunning.steps import Kind
from outbound.signing import new_secret
from tests.chaos.conftest import Tell
from tests.chaos.crowd import ALL_RUN_OUT, Crowd
from tests.chaos.failpoints import Failpoints
from tests.chaos.parts import CALLED_AT_ONCE
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.world import World
from tests.worker.breaking import commit, look
from worker.breaker import watch
from worker.queues import ALARM, EVENTS, MAIL, TEAM, WEBHOOKS, Wakeup
from worker.schedule import tick

pytestmark = pytest.mark.usefixtures("quiet")

# Nobody is told anything there.
URL = "http://127.0.0.1:9/hooks"
# More points than any of these has.
MOST = 500


def test_killed_in_the_middle_of_its_tick_a_scheduler_forgets_no_row(
    make_world: MakeWorld, long: bool, tell: Tell
) -> None:
    """Something of every kind is due; wherever one scheduler ended, the next tick hands out all of it."""
    world = make_world(policy=CALLED_AT_ONCE)
    commit(world, lambda connection: endpoints.add(connection, URL, new_secret()))
    crowd = Crowd(world, 1)
    crowd.fail(MAIL, TEAM, WEBHOOKS)
    [customer] = crowd.customer_ids()
    commit(world, lambda connection: outbox.add(connection, [_charge(world, customer)]))
    crowd.pass_to(30)
    world.held = {EVENTS}
    world.settle()
    failpoints = Failpoints(thorough=long)

    def look_and_die(end_at: int | None) -> tuple[bool, Swept]:
        found: list[Swept] = []

        async def once() -> None:
            nudge = failpoints.nudging(_nobody)
            found.append(await tick(world.services.engine, nudge, clock=lambda: world.now, delay=1.0))

        world.run(world.stage.let_pass(ALL_RUN_OUT))
        with failpoints.watching(world.services.engine):
            return world.run(failpoints.live(once, end_at)), found[0] if found else Swept()

    _, everything = look_and_die(None)
    points = list(failpoints.passed)
    assert all(getattr(everything, kind) for kind in KINDS)
    lost = 0
    for number in range(len(points)):
        assert look_and_die(number)[0]
        lost += look_and_die(None)[1] != everything
    tell("F11", actor="a scheduler's tick", points=len(points), lost=lost)
    assert lost == 0


KINDS = ("events", "mail", "team", "billing", "customers", "endpoints")


async def _nobody(wakeup: Wakeup, ids: Sequence[int]) -> None:
    """Whatever is handed out, nobody takes it up."""


def _charge(world: World, customer: int) -> NewEffect:
    return NewEffect(
        customer_id=customer,
        case="in_1",
        step="retry:in_1:1",
        kind=Kind.RETRY,
        name="retry",
        channel="provider",
        reason="we charge again ourselves",
        created_at=world.now,
    )


def test_killed_while_it_looks_at_the_breaker_a_scheduler_trips_it_once(
    make_world: MakeWorld, long: bool, tell: Tell
) -> None:
    """Whoever looks next finds it tripped or trips it, and the team is called about it, once."""
    world = make_world()
    Crowd(world, 2).fail(MAIL)
    world.queue.clear()
    surge = Limits(surge_floor=1)
    failpoints = Failpoints(thorough=long)
    services = replace(world.services, nudge=failpoints.nudging(world.services.nudge))
    doubled = lost = 0
    for number in range(MOST):
        with failpoints.watching(services.engine):
            ended = world.run(failpoints.live(lambda: watch(services.engine, services.nudge, surge), number))
        look(world, surge)
        tripped, called = world.rows(models.breaker), world.rows(models.alarms)
        lost += not tripped or not called or (ALARM, [called[0].id]) not in world.queue
        doubled += len(tripped) > 1 or len(called) > 1
        commit(world, _forget)
        if not ended:
            break
    tell("F11", actor="a scheduler's look at the breaker", points=number, lost=lost, doubled=doubled)
    assert (lost, doubled) == (0, 0)


async def _forget(connection: AsyncConnection) -> None:
    for table in (models.breaker, models.alarms):
        await connection.execute(delete(table))
