"""F9: the same event a hundred times in the same moment, to two receivers and then to ten workers."""

from __future__ import annotations

import asyncio
import json

from db import models
from sandbox.stripe.objects import render_event
from tests.chaos.conftest import Tell
from tests.chaos.crowd import FAILURE, Crowd
from tests.chaos.posting import a_receiver, post
from tests.scenarios.world import World
from worker.usecases.apply_events import apply_events

COPIES, WORKERS = 100, 10


def test_a_hundred_copies_at_once_are_one_event(world: World, tell: Tell) -> None:
    """Each is answered 200, and they come to one row, one change of access and one mail."""
    crowd = Crowd(world, 1)
    crowd.pass_to(0)
    [event] = [each for each in world.hear() if each.type == FAILURE]
    body = json.dumps(render_event(event, world.version)).encode()
    url = world.stage.engine.url.render_as_string(hide_password=False)

    async def flood() -> list[int]:
        two = [a_receiver(url), a_receiver(url)]
        for receiver in two:
            receiver.start()
        answers = await asyncio.gather(*(post(two[number % 2], body) for number in range(COPIES)))
        await asyncio.gather(*(receiver.close() for receiver in two))
        return answers

    answers = world.run(flood())
    rows = [row.id for row in world.rows(models.inbox)]
    world.all_at_once(*(apply_events(world.services, rows) for _ in range(WORKERS)))
    world.run(world.drain_at_once())

    changes = [row for row in world.rows(models.journal) if row.kind == "access.changed"]
    mails = len(world.inbox.messages)
    tell(
        "F9",
        copies=COPIES,
        answered_200=answers.count(200),
        rows=len(rows),
        state_changes=len(changes),
        mails=mails,
    )
    assert answers == [200] * COPIES
    assert (len(rows), len(changes), mails) == (1, 1, 1)
