"""A backup was brought back: what may have been done since it was taken is not repeated, but listed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from db import models, reconciliations, restores
from db.restores import A_LEAP
from dunning.restoring import Gap
from dunning.steps import Kind
from sandbox.stripe import Card, custom_schedule
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import PLAIN, World
from tests.worker.breaking import commit
from tests.worker.reconciling import change, rows
from worker.queues import MAIL
from worker.usecases.restored import restored

HOUR = timedelta(hours=1)
PATIENT = custom_schedule(3, 5, 7, at_end="past_due")


def mark(world: World, since: timedelta = HOUR) -> int:
    """The backup was taken so long ago, and is back now."""
    return commit(world, lambda connection: restored(connection, Gap(world.now - since, world.now), "maria"))


@pytest.fixture
def story(world: World) -> Story:
    """A renewal fails in a moment."""
    story = subscriber(world, "insufficient_funds", wall=True)
    world.stripe.engine.advance(None, story.renewal)
    world.now = story.renewal
    return story


def test_a_mail_that_was_due_is_listed_and_not_sent(story: Story) -> None:
    """The event of the failure is heard of once more, and its mail may have gone out: a person decides."""
    world = story.world
    world.now += HOUR
    mark(world, 2 * HOUR)
    world.settle()
    world.tick()
    assert story.mails() == []
    assert story.level() == ("warned", "payment_failed")
    [doubtful] = commit(world, restores.doubtful)
    assert (doubtful.customer, doubtful.at) == (story.customer.id, story.renewal)
    assert [row.kind for row in story.journal() if row.kind == "mail.unknown"] == ["mail.unknown"]


def test_what_waited_in_the_backup_is_doubtful_too(story: Story) -> None:
    """It was about to be sent; calls to the team are made all the same."""
    world = story.world
    world.held = {MAIL}
    world.settle()
    assert mark(world) == 1
    world.held = set()
    world.tick()
    assert story.mails() == []
    assert [status for _, status in world.effects()] == ["unknown"]


def test_what_falls_due_later_is_sent(story: Story) -> None:
    """The failure after that of the gap is told of as ever."""
    world = story.world
    mark(world)
    world.settle()
    story.until(3.5)
    assert story.mails() == [(3, "payment_failed 2")]


def test_a_mail_that_its_service_tells_of_is_known_again(story: Story) -> None:
    """By the mark that every mail of that step bears, whichever database has sent it."""
    world = story.world
    mark(world)
    world.settle()
    [row] = world.rows(models.outbox)
    assert (row.status, row.recipient, bool(row.reference)) == ("unknown", story.email, True)
    told = text(
        "INSERT INTO mail_results (outbox_id, kind, at, by) "
        "SELECT id, 'delivered', now(), 'resend' FROM outbox"
    )
    commit(world, lambda connection: connection.execute(told))
    assert commit(world, restores.doubtful) == []


def test_test_clocks_have_no_part_in_it(world: World) -> None:
    """Their days are not ours: whoever lives by one is written to."""
    story = subscriber(world, "insufficient_funds")
    mark(world)
    story.until(1)
    assert story.mails() == [(0, "payment_failed 1")]


@pytest.mark.parametrize(("lost", "kinds"), [(1, {Kind.MAIL}), (21, {Kind.MAIL, Kind.RETRY})])
def test_charges_are_safe_to_repeat_while_stripe_knows_their_keys(
    world: World, lost: int, kinds: set[Kind]
) -> None:
    """For a day; then they count as perhaps made."""
    assert Gap(world.now - lost * HOUR, world.now).doubtful == kinds


def test_applications_are_told_numbers_that_they_have_not_seen(story: Story) -> None:
    """Above all that the lost database can have given out, and once more after the next disaster."""
    world = story.world
    endpoint = text("INSERT INTO endpoints (url, secret) VALUES ('https://app.example/hooks', 'whsec_x')")
    commit(world, lambda connection: connection.execute(endpoint))
    for leaps in (1, 2):
        mark(world)
        if leaps == 1:
            world.settle()
        else:
            story.pay(Card())
        told = [row.sequence for row in world.rows(models.outgoing, models.outgoing.c.sequence)]
        assert leaps * A_LEAP < max(told) < leaps * A_LEAP + A_LEAP


def test_stripe_is_asked_at_once_from_before_the_backup_on(world: World) -> None:
    """Whatever was under way begins anew."""
    run = rows(world)["events"]
    change(world, "events", high_water=run.created_at, begun_at=run.created_at, cursors={"events": "evt_1"})
    mark(world, timedelta(days=30) + (world.now - run.created_at if world.now > run.created_at else HOUR))
    row = rows(world)["events"]
    assert row.high_water is not None
    assert (row.begun_at, row.high_water <= run.created_at) == (None, True)
    assert set(commit(world, reconciliations.due)) == {each.id for each in rows(world).values()}


def test_access_that_ended_in_the_gap_ends_again_and_nobody_is_told_twice(
    make_world: MakeWorld,
) -> None:
    """It is taken once more, later than it was; the mail about it is as doubtful as if it were of then."""
    world = make_world(policy=PLAIN)
    story = subscriber(world, *["insufficient_funds"] * 9, wall=True, retries=PATIENT).until(13.9)
    before = story.mails()
    assert story.level()[0] == "warned"
    # The fourteenth day is a holiday, which ends at noon of the next.
    world.now = story.renewal + timedelta(days=15, hours=2, minutes=10)
    mark(world, timedelta(hours=3))
    world.now += timedelta(minutes=30)
    world.tick()
    world.tick()
    assert story.level() == ("revoked", "grace_expired")
    assert story.mails() == before
    assert [each.step.partition(":")[0] for each in commit(world, restores.doubtful)] == ["access_ended"]
