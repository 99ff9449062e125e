"""F12: nobody ticks for six hours, everything becomes due, and then two schedulers begin at once."""

from __future__ import annotations

import time
from datetime import timedelta

from db import models
from tests.chaos.conftest import Tell
from tests.chaos.crowd import Crowd
from tests.scenarios.world import World

SHORT, LONG = 20, 1_000
MISSED = timedelta(hours=6)
# Seconds.
CAUGHT_UP_WITHIN = 60.0
# On which the second mail of the plain policy is due.
DAY = 3


def test_two_schedulers_catch_up_on_six_hours_and_do_each_thing_once(
    world: World, long: bool, tell: Tell
) -> None:
    """Each case gets what was due, once, however the two share it."""
    crowd = Crowd(world, LONG if long else SHORT)
    crowd.fail()
    crowd.recover()
    before = len(world.inbox.messages)
    crowd.pass_to(DAY + MISSED / timedelta(days=1))
    began = time.monotonic()
    while len(world.inbox.messages) - before < len(crowd.subscriptions) or world.unfinished():
        world.tick_twice_at_once()
        assert time.monotonic() - began < CAUGHT_UP_WITHIN
    seconds = time.monotonic() - began

    facts = crowd.told()
    decided = [
        each["journal: mail.decided mail 2 of the ladder, 3 days after the first failure payment_failed:2"]
        for each in facts
    ]
    arrived = [each["arrived: payment_failed:2 by mail"] for each in facts]
    lost = decided.count(0) + arrived.count(0)
    doubled = sum(times > 1 for times in decided + arrived)
    tell("F12", schedulers=2, due=len(facts), lost=lost, doubled=doubled, catch_up_seconds=round(seconds, 1))
    assert (lost, doubled) == (0, 0)
    assert all(each == facts[0] for each in facts)
    assert not [row for row in world.rows(models.outbox) if row.status != "sent"]
