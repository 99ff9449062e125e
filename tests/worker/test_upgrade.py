"""A case that the version before has begun goes on under today's rules, and nobody is told anything twice."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from sandbox.stripe import custom_schedule
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from tests.worker.breaking import commit
from worker.queues import MAIL

LEFT_TO_US = custom_schedule(3, at_end="past_due")
OFTEN = [day / 4 for day in range(1, 80)]


def as_before(world: World) -> None:
    """Rewrite case and outbox as the version before wrote them."""

    async def rewrite(connection: AsyncConnection) -> None:
        policy = (
            '{"key": "0a1b/base", "grace": "P14D", "final_warnings": ["P3D", "P1D"], "escalate_after": 3, '
            '"at_expiry": "revoked", "mail_gap": "P2D", "transient_silence": "P2D", "receipt_within": "P7D"}'
        )
        await connection.execute(update(models.cases).values(policy=json.loads(policy)))
        step = func.concat("payment_failed:", models.outbox.c.case, ":attempt:1")
        await connection.execute(update(models.outbox).values(step=step))

    commit(world, rewrite)


@pytest.mark.parametrize(
    ("code", "days"),
    [("expired_card", [0, 3, 7]), ("insufficient_funds", [0, 4, 8]), ("do_not_honor", [0, 3, 7])],
)
def test_nobody_is_mailed_again_for_the_same_failure(world: World, code: str, days: list[float]) -> None:
    """The first rung was told under another key; the ladder goes on from the second."""
    story = begun(world, code)
    story.until(20, stops=OFTEN)
    notices = [row for row in world.rows(models.outbox) if row.name == "payment_failed"]
    assert [int(story.day(row.created_at)) for row in sorted(notices, key=lambda row: row.id)] == days
    assert len(story.inbox) == 3 + 2 + 1


def test_access_that_was_promised_to_the_end_of_grace_is_not_limited(world: World) -> None:
    """The version before knew no limit; the end comes in working hours, a day after a Sunday's."""
    story = begun(world, "expired_card")
    story.until(20, stops=OFTEN)
    levels = [level for _, level, _ in story.access()]
    assert levels == ["full", "warned", "revoked"]
    assert story.access()[-1][0] >= 14


def test_a_mail_that_still_waits_is_told_once(world: World) -> None:
    """Its key is not known any more, so the same is told under today's."""
    world.held = {MAIL}
    story = subscriber(world, "expired_card", retries=LEFT_TO_US).until(0)
    as_before(world)
    world.held = set()
    world.machine_time(timedelta(minutes=1))
    # It is night where the customer lives.
    story.until(0.3)
    assert [status for _, status in world.effects()] == ["suppressed", "sent"]
    assert len(story.inbox) == 1


def begun(world: World, code: str) -> Story:
    """A case whose first failure was told by the version before."""
    story = subscriber(world, code, *([code] * 5), retries=LEFT_TO_US)
    story.until(0)
    assert len(story.inbox) == 1
    as_before(world)
    world.tick()
    return story
