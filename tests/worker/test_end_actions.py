"""What the policy wants done at the provider once access has ended: once, after it, and not for nothing."""

from __future__ import annotations

from typing import Any

import pytest

from db import models
from sandbox.stripe import Card, Fault, custom_schedule
from sandbox.stripe.records import Subscription
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import TEAM_ADDRESS, World
from tests.worker.calling import Calling, disturbed
from tests.worker.plain import plain
from tests.worker.test_call_provider import ProcessEndedError, end_of_process
from worker.queues import BILLING
from worker.usecases.outcomes import LONGEST_WAIT, MOST_ATTEMPTS

# Stripe tries once more and then leaves the end of access to us.
LEFT_TO_US = custom_schedule(3, at_end="past_due")
# What each comes to at Stripe: the subscription's status, and how its further invoices are held.
ENDS = [
    ("cancel", ("canceled", None)),
    ("pause", ("paused", None)),
    ("unpaid", ("past_due", "keep_as_draft")),
]


def ended(world: World, **options: Any) -> Story:
    """Somebody whose grace has ended."""
    return subscriber(world, "insufficient_funds", **{"retries": LEFT_TO_US} | options).until(14)


def waiting(make_world: MakeWorld, action: str, **options: Any) -> Calling:
    """The end is decided, and nobody has asked Stripe for it yet."""
    world = make_world(policy=plain(end_action=action))
    world.held = {BILLING}
    story = ended(world, **options)
    (row,) = [row.id for row in world.rows(models.outbox) if row.kind == "end"]
    return Calling(world, story, row)


def at_stripe(story: Story) -> tuple[str, str | None]:
    found = story.world.stripe.engine.get(Subscription, story.subscription.id)
    return found.status, found.pause_collection


def asked(world: World) -> int:
    """How often Stripe was asked to change a subscription."""
    path = "/v1/subscriptions/"
    return len([each for verb in ("POST", "DELETE") for each in world.stripe.api.requested(verb, path)])


@pytest.mark.parametrize(("action", "result"), ENDS)
def test_it_is_done_once_after_access_was_taken(
    make_world: MakeWorld, action: str, result: tuple[str, str | None]
) -> None:
    """In that order, and never again, however long it stays unpaid."""
    world = make_world(policy=plain(end_action=action))
    story = ended(world)
    assert at_stripe(story) == result
    kinds = [row.kind for row in story.journal()]
    assert kinds.index("access.taken") < kinds.index("end.decided") < kinds.index("end.sent")
    story.until(40, stops=(15, 20, 30))
    assert asked(world) == 1
    assert [mail for _, mail in story.mails()].count("access_ended") == 1
    assert story.level()[0] == "revoked"


def test_without_an_action_nothing_is_done(world: World) -> None:
    """The default."""
    story = ended(world)
    story.until(20)
    assert (at_stripe(story), asked(world)) == (("past_due", None), 0)


@pytest.mark.parametrize("action", [action for action, _ in ENDS])
@pytest.mark.parametrize("end", ["cancel", "unpaid", "pause"])
def test_class_34_what_stripe_has_stopped_itself_is_left_alone(
    make_world: MakeWorld, action: str, end: Any
) -> None:
    """Its own schedule ended between the decision and the call."""
    one = waiting(make_world, action, retries=custom_schedule(3, 14, at_end=end))
    one.story.until(17.1)
    stopped = at_stripe(one.story)
    one.carry_out()
    assert (one.status, asked(one.world), at_stripe(one.story)) == ("suppressed", 0, stopped)


@pytest.mark.parametrize("end", ["cancel", "unpaid", "pause"])
def test_what_stripe_stops_before_grace_ends_calls_for_no_end_of_ours(
    make_world: MakeWorld, end: Any
) -> None:
    """Access ended with the subscription; there is nothing left to end."""
    world = make_world(policy=plain(end_action="cancel"))
    ended(world, retries=custom_schedule(3, at_end=end)).until(20)
    assert (asked(world), [row for row in world.rows(models.outbox) if row.kind == "end"]) == (0, [])


@pytest.mark.parametrize("action", [action for action, _ in ENDS])
def test_class_15_who_has_paid_meanwhile_keeps_the_subscription(make_world: MakeWorld, action: str) -> None:
    """The payment came between the decision and the call."""
    one = waiting(make_world, action)
    assert one.story.pay(Card())
    one.carry_out()
    assert (one.status, asked(one.world), one.story.status) == ("suppressed", 0, "active")
    assert one.story.level() == ("full", "good_standing")


@pytest.mark.parametrize(("action", "result"), ENDS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_class_7_killed_on_the_way_it_is_ended_once(
    make_world: MakeWorld, action: str, result: tuple[str, str | None], moment: str
) -> None:
    """Somebody else asks again, and Stripe ends it once."""
    one = waiting(make_world, action)
    with pytest.raises(ProcessEndedError):
        one.carry_out(disturbed(one.world, **{moment: end_of_process}))
    one.later()
    one.carry_out()
    assert (one.status, at_stripe(one.story)) == ("sent", result)
    updates = one.world.stripe.engine.events("customer.subscription.deleted", "customer.subscription.paused")
    assert len(updates) == (action != "unpaid")


def test_without_stripe_it_waits(make_world: MakeWorld) -> None:
    """Access is gone already; the rest follows as soon as Stripe is back."""
    one = waiting(make_world, "cancel")
    one.world.stripe.faults.add(Fault(match="DELETE", status=500, times=9))
    one.carry_out()
    assert (one.status, one.story.status) == ("pending", "past_due")
    one.world.stripe.faults.clear()
    one.later()
    one.carry_out()
    assert (one.status, one.story.status) == ("sent", "canceled")
    assert one.story.outcome() == "ended"


def called(one: Calling) -> list[str]:
    """The calls of which the team has heard, in order."""
    return [what for _, what in one.story.calls()]


@pytest.mark.parametrize("action", [action for action, _ in ENDS])
def test_an_end_that_stripe_never_confirms_is_a_persons(make_world: MakeWorld, action: str) -> None:
    """After a working day without an answer; once, and the journal says why."""
    one = waiting(make_world, action)
    one.world.stripe.faults.add(Fault(match="/v1/subscriptions/", status=503, times=1000))
    for _ in range(MOST_ATTEMPTS):
        one.carry_out()
        one.later(LONGEST_WAIT)
    assert (one.status, called(one)) == ("unknown", [])
    one.world.tick()
    one.world.tick()
    assert called(one) == ["end_unconfirmed"]
    [entry] = [row for row in one.story.journal() if row.kind == "team.called"]
    assert "did not confirm it" in entry.reason
    assert "did not confirm it" in one.world.inbox.to(TEAM_ADDRESS)[-1].text
