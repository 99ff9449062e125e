"""Killed at each point of what belongs to no one customer: everybody is told, and no row is forgotten.

The application and the team are told at least once, so a death may repeat what it cut off, under the same id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import structlog
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import alarms, endpoints, models, outbox
from db.alarms import CALL_AGAIN
from db.outbox import NewEffect
from db.sweep import Swept
from dunning.breaker import Limits
from dunning.steps import Kind
from emails.message import message_id
from outbound.signing import new_secret
from tests.chaos.conftest import Tell
from tests.chaos.crowd import ALL_RUN_OUT, Crowd, watched
from tests.chaos.failpoints import Failpoints, Port
from tests.chaos.parts import CALLED_AT_ONCE
from tests.outbound.receiver import Receiver, receiver
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.stage import Stage
from tests.scenarios.world import DOMAIN, POSTER, World
from tests.worker.breaking import commit, look
from tests.worker.chat import Chat, chat
from worker.breaker import watch
from worker.queues import ALARM, EVENTS, MAIL, TEAM, WEBHOOKS, Wakeup
from worker.schedule import tick
from worker.usecases.sound_alarm import sound_alarm
from worker.usecases.tell_application import tell_each

SECRET = new_secret()
# More points than any of these has.
MOST = 500


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What the dead have to say fills pages."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture(scope="module")
def room() -> Iterator[Chat]:
    with chat() as running:
        yield running


@pytest.fixture(scope="module")
def shop() -> Iterator[Receiver]:
    """The merchant's application."""
    with receiver(SECRET) as running:
        yield running


def test_killed_while_it_tells_the_application_every_endpoint_hears_everything(
    make_world: MakeWorld, stage: Stage, shop: Receiver, long: bool, tell: Tell
) -> None:
    """One endpoint for each point; what was sent before the death comes once more with its id at most."""

    def arranged(size: int) -> World:
        stage.clear()
        shop.headers.clear()
        world = make_world()
        for number in range(size):
            commit(world, partial(endpoints.add, url=f"{shop.url}&point={number}", secret=SECRET))
        Crowd(world, 1).fail(MAIL, WEBHOOKS)
        return world

    def play(world: World, endpoint: int, failpoints: Failpoints, end_at: int | None = None) -> None:
        services, _ = watched(world, failpoints)
        poster: Any = Port(POSTER, failpoints)
        with failpoints.watching(services.engine):
            world.run(failpoints.live(lambda: tell_each(services, poster, [endpoint]), end_at))

    failpoints = Failpoints(thorough=long)
    play(arranged(1), 1, failpoints)
    points = list(failpoints.passed)
    world = arranged(len(points))
    rows = sorted(row.id for row in world.rows(models.endpoints))
    for end_at, endpoint in enumerate(rows):
        play(world, endpoint, failpoints, end_at)
        assert len(failpoints.passed) == end_at + 1
    world.held = {MAIL}
    world.machine_time(ALL_RUN_OUT)

    said = {row.message for row in world.rows(models.outgoing)}
    heard = Counter((each["request"], each["webhook-id"]) for each in shop.headers)
    requests = {request for request, _ in heard}
    lost = len(said) * len(rows) - len(heard)
    tell("F11", actor="tell_application", points=len(points), lost=lost, repeated=heard.total() - len(heard))
    assert len(requests) == len(rows)
    assert lost == 0
    assert {message for _, message in heard} == said
    assert max(heard.values()) <= 2
    assert {row.status for row in world.rows(models.deliveries)} == {"delivered"}


def test_killed_while_it_calls_the_team_every_channel_hears_of_it(
    make_world: MakeWorld, room: Chat, long: bool, tell: Tell
) -> None:
    """One alarm for each point; a call that was cut off is made again, since twice is better than never."""
    world = make_world(chat_url=room.url)
    failpoints = Failpoints(thorough=long)
    points = 0
    for number in range(MOST):
        facts = {"reason": f"surge {number} of many", "by": None}
        commit(world, partial(alarms.sound, kind="breaker", subject=1, facts=facts))
        [row] = commit(world, alarms.due)
        services, courier = watched(world, failpoints)
        with failpoints.watching(services.engine):
            ended = world.run(failpoints.live(lambda: sound_alarm(services, courier, [row]), number))  # noqa: B023  # runs at once
        if not ended:
            points = number
            break
        # Out of the way of the next one; below it is due again.
        commit(world, _call_later)
    commit(world, _call_again)
    look(world, None)
    for wakeup, ids in world.queue:
        assert wakeup is ALARM
        world.run(sound_alarm(world.services, world.courier, ids))

    mails = Counter(str(mail.message["Message-ID"]) for mail in world.inbox.messages)
    rows = world.rows(models.alarms)
    by_mail = [mails[message_id(f"breaker:{row.id}", DOMAIN)] for row in rows]
    by_chat = [sum(row.facts["reason"] in said["text"] for said in room.heard) for row in rows]
    lost = sum(times == 0 for times in by_mail + by_chat)
    repeated = sum(times - 1 for times in by_mail + by_chat if times)
    tell("F11", actor="sound_alarm", points=points, lost=lost, repeated=repeated)
    assert lost == 0
    assert max(by_mail + by_chat) == 2
    assert all(row.called_at for row in rows)


async def _call_later(connection: AsyncConnection) -> None:
    await connection.execute(update(models.alarms).values(due_at=models.alarms.c.due_at + timedelta(days=1)))


async def _call_again(connection: AsyncConnection) -> None:
    await connection.execute(
        update(models.alarms).values(due_at=models.alarms.c.raised_at - CALL_AGAIN - timedelta(days=1))
    )


def test_killed_in_the_middle_of_its_tick_a_scheduler_forgets_no_row(
    make_world: MakeWorld, shop: Receiver, long: bool, tell: Tell
) -> None:
    """Something of every kind is due; wherever one scheduler ended, the next tick hands out all of it."""
    world = make_world(policy=CALLED_AT_ONCE)
    commit(world, lambda connection: endpoints.add(connection, shop.url, SECRET))
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
