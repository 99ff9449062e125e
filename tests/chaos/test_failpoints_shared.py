"""Killed at each point of what belongs to no one customer: everybody is told who has to be.

The application and the team are told at least once, so a death may repeat what it cut off, under the same id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import alarms, endpoints, models
from db.alarms import CALL_AGAIN
from emails.message import message_id
from outbound.signing import new_secret
from tests.chaos.conftest import Tell
from tests.chaos.crowd import ALL_RUN_OUT, Crowd, watched
from tests.chaos.failpoints import Failpoints, Port
from tests.outbound.receiver import Receiver, receiver
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.stage import Stage
from tests.scenarios.world import DOMAIN, POSTER, World
from tests.worker.breaking import commit, look
from tests.worker.chat import Chat
from worker.queues import ALARM, MAIL, WEBHOOKS
from worker.usecases.sound_alarm import sound_alarm
from worker.usecases.tell_application import tell_each

pytestmark = pytest.mark.usefixtures("quiet")

SECRET = new_secret()
# More points than any of these has.
MOST = 500


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
