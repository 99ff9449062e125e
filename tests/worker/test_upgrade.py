"""A case that the version before has begun goes on under today's rules, and nobody is told anything twice.

And what a later version has written, while it is rolled out, waits for a worker of that version.
"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from dramatiq.brokers.stub import StubBroker
from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from db.sweep import MOST_ATTEMPTS
from outbound.post import Poster
from sandbox.stripe import custom_schedule
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from tests.worker.breaking import commit
from worker import actors
from worker.at_work import AtWork
from worker.courier import Courier
from worker.queues import MAIL
from worker.services import Services
from worker.usecases.deliver import deliver_each

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


def of_later(world: World, statement: str, **values: str) -> None:
    """A worker of a later version was here."""
    commit(world, lambda connection: connection.execute(text(statement), values))


def mailed(world: World) -> list[int]:
    """The customers, by their rows, to whom a mail was sent."""
    return sorted(row.customer_id for row in world.rows(models.outbox) if row.status == "sent")


def test_an_event_beside_a_word_of_later_waits_and_is_not_counted(world: World) -> None:
    """However often this version tries, that account is for a newer worker; the others are for us."""
    strange, other = subscriber(world, "expired_card"), subscriber(world, "expired_card")
    of_later(
        world,
        "INSERT INTO instructions (customer_id, verb, at, by, why)"
        " SELECT id, 'teleport', now(), 'maria', 'why not' FROM customers WHERE ref = :customer",
        customer=strange.customer.id,
    )
    for story in (strange, other):
        story.until(0)
    for _ in range(MOST_ATTEMPTS + 1):
        world.machine_time(timedelta(hours=1))
    waiting = [row for row in world.rows(models.inbox) if row.status == "pending"]
    assert waiting
    assert all(row.attempts <= 1 and "teleport" in row.last_error for row in waiting)
    assert not any(row.status == "dead" for row in world.rows(models.inbox))
    assert mailed(world) == [2]
    of_later(world, "DELETE FROM instructions")
    world.machine_time(timedelta(hours=1))
    assert mailed(world) == [1, 2]


def test_an_effect_of_a_later_kind_is_left_as_it_is(world: World) -> None:
    """It is not claimed, not counted and not given up; the effects beside it are carried out."""
    story = subscriber(world, "expired_card")
    world.held = {MAIL}
    story.until(0)
    of_later(
        world,
        'INSERT INTO outbox (customer_id, "case", step, kind, name, channel, reason, status, created_at)'
        " VALUES (1, 'in_x', 'telegram:in_x', 'telegram', 'telegram', 'mail', 'why not', 'pending', now())",
    )
    (later,) = [row.id for row in world.rows(models.outbox) if row.kind == "telegram"]
    world.run(deliver_each(world.services, world.courier, [later]))
    (row,) = [row for row in world.rows(models.outbox) if row.kind == "telegram"]
    assert (row.status, row.attempts, row.lease_until) == ("pending", 0, None)


def test_the_names_of_before_are_still_served() -> None:
    """What a process of another version puts into a queue finds its actor; names are only ever added."""
    released = {
        ("events", "apply_events"),
        ("cases", "advance_cases"),
        ("mail", "send_mail"),
        ("team", "notify_team"),
        ("team", "sound_alarm"),
        ("billing", "call_provider"),
        ("webhooks", "tell_application"),
    }
    broker = StubBroker()

    def nobody() -> tuple[Services, Courier, Poster]:
        raise AssertionError

    actors.declare(broker, nobody, AtWork())
    assert released <= {(actor.queue_name, name) for name, actor in broker.actors.items()}
