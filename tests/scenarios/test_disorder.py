"""Order, duplicates, batches and outages of events change nothing but the time."""

from datetime import timedelta
from random import Random

import pytest

from sandbox.stripe import Card, custom_schedule
from tests.scenarios.arrivals import Manner
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import RENEWAL, Story, subscriber
from tests.scenarios.world import PLAIN, World

ONCE = custom_schedule(30, at_end="past_due")
TWICE = custom_schedule(3, at_end="past_due")
TO_THE_END = custom_schedule(3, 5, 7, at_end="past_due")
MANNERS = [
    Manner(batched=False),
    Manner(seed=1, twice=True),
    Manner(batched=False, seed=2, twice=True),
    Manner(batched=False, seed=3, twice=True, at_once=True),
]


def never_paid(world: World) -> Story:
    """Every rung of the ladder, and a payment after it."""
    story = subscriber(world, "insufficient_funds", retries=TWICE).until(16)
    story.pay(Card())
    return story


def cancelled(world: World) -> Story:
    """The masked reason, counted and not charged, and Stripe's own end."""
    return subscriber(world, "stolen_card", retries=custom_schedule(1, 1)).until(5)


def stopped(world: World) -> Story:
    """A payment that waits for the bank, then unpaid, then confirmed by the customer."""
    retries = custom_schedule(2, at_end="unpaid")
    story = subscriber(world, "requires_action", retries=retries).until(5)
    story.pay(confirm=True)
    return story


def outcome(story: Story) -> dict[str, object]:
    """What the customer and the team saw, and what access became; not how often it was looked at."""
    changes = [(day, level) for day, level, _ in story.access() if day >= 0]
    by_day = list(dict(changes).items())
    return {
        "mails": sorted(story.mails()),
        "calls": sorted(story.calls()),
        "levels": by_day,
        "revoked": [day for day, level in changes if level == "revoked"],
        "level": story.level(),
        "outcome": story.outcome(),
    }


CALM = {
    never_paid: {
        "mails": [
            (0, "payment_failed 1"),
            (3, "payment_failed 2"),
            (7, "payment_failed 3"),
            (11, "final_warning 72h"),
            (13, "final_warning 24h"),
            (14, "access_ended"),
            (16, "recovered"),
        ],
        "calls": [(3, "attempts")],
        "levels": [(0, "warned"), (14, "revoked"), (16, "full")],
        "revoked": [14],
        "level": ("full", "good_standing"),
        "outcome": "recovered",
    },
    cancelled: {
        "mails": [(0, "payment_failed 1"), (2, "access_ended")],
        "calls": [],
        "levels": [(0, "warned"), (2, "revoked")],
        "revoked": [2],
        "level": ("revoked", "canceled_for_nonpayment"),
        "outcome": "ended",
    },
    stopped: {
        "mails": [(0, "payment_failed 1"), (2, "access_ended"), (5, "recovered")],
        "calls": [],
        "levels": [(0, "warned"), (2, "revoked"), (5, "full")],
        "revoked": [2],
        "level": ("full", "good_standing"),
        "outcome": "recovered",
    },
}


@pytest.mark.parametrize("story", CALM, ids=lambda story: story.__name__)
@pytest.mark.parametrize(
    "manner", MANNERS, ids=["each alone", "twice in a batch", "each alone twice", "to many workers"]
)
def test_the_manner_of_delivery_changes_nothing(make_world: MakeWorld, story: object, manner: Manner) -> None:
    """One by one, in batches, doubled, shuffled, by many workers at once: the same mails and access."""
    world = make_world(manner=manner, policy=PLAIN.model_copy(update={"escalate_after": 2}))

    assert outcome(story(world)) == CALM[story]  # type: ignore[operator,index]  # a function above
    assert world.unfinished() == 0


@pytest.mark.parametrize("seed", range(3))
def test_after_an_outage_of_twenty_days_nobody_gets_three_mails_at_once(
    make_world: MakeWorld, seed: int
) -> None:
    """Everything of twenty days arrives at once in random order: one warning, with its full three days."""
    world = make_world()
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END, wall=True)
    world.stripe.engine.advance(None, RENEWAL + timedelta(days=20))
    world.now = RENEWAL + timedelta(days=20)
    world.disorder = Random(seed)  # noqa: S311  # disorder, not a secret
    world.manner = Manner(batched=False, twice=True)

    world.settle()
    world.tick()

    assert len(story.mails()) == 1
    assert story.calls() == [(20, "attempts")]
    assert story.level()[0] == "warned"
    story.until(22.9, stops=(21, 22))
    assert story.level()[0] == "warned"
    story.until(26, stops=range(23, 26))
    kinds = [what for _, what in story.mails()]
    assert kinds.count("access_ended") == 1
    assert "final_warning 72h" in kinds
    warned_on = {what: day for day, what in story.mails()}["final_warning 72h"]
    revoked_on = next(day for day, level, _ in story.access() if level == "revoked")
    assert revoked_on - warned_on >= 3


@pytest.mark.parametrize("seed", range(3))
def test_after_an_outage_who_paid_meanwhile_hears_nothing(make_world: MakeWorld, seed: int) -> None:
    """Failed, retried and paid while we were away: no mail, no call, no case left open."""
    world = make_world(manner=Manner(batched=False, seed=seed))
    story = subscriber(world, "insufficient_funds", "insufficient_funds", "ok", wall=True)
    world.stripe.engine.advance(None, RENEWAL + timedelta(days=20))
    world.now = RENEWAL + timedelta(days=20)
    world.settle()
    world.tick()

    assert story.mails() == story.calls() == []
    assert story.outcome() == "recovered"
    assert story.level() == ("full", "good_standing")


@pytest.mark.parametrize("wall", [False, True], ids=["test clock", "wall clock"])
def test_test_clocks_and_wall_clocks_tell_the_same_story(make_world: MakeWorld, wall: bool) -> None:
    """A customer on a Stripe test clock lives through the same days as one in real time."""
    world = make_world(policy=PLAIN.model_copy(update={"escalate_after": 2}))
    story = subscriber(world, "insufficient_funds", retries=TWICE, wall=wall).until(16)
    story.pay(Card())

    assert outcome(story) == CALM[never_paid]


def test_a_charge_that_is_heard_of_first_tells_the_time_of_its_test_clock(world: World) -> None:
    """The failed charge's event names no clock, but its customer lives on one: the case opens on the day."""
    story = subscriber(world, "insufficient_funds", retries=ONCE)
    world.stripe.engine.advance(story.present_clock, story.renewal)
    [first] = [event for event in world.hear() if event.type == "charge.failed"]
    world.deliver([first])

    assert story.mails() == [(0, "payment_failed 1")]
    assert story.access()[-1] == (0, "warned", "payment_failed")


def test_a_lost_wake_up_is_found_by_the_scheduler(make_world: MakeWorld) -> None:
    """Redis forgets every message: the scheduler finds events, cases, mails and calls in the tables."""
    world = make_world(policy=PLAIN.model_copy(update={"escalate_after": 2}))
    story = subscriber(world, "insufficient_funds", retries=TWICE)
    world.forgetful = True
    for day in (0, 3, 7, 11, 13, 14):
        story.until(day, stops=())
        for _ in range(4):
            world.machine_time(timedelta(minutes=1))

    assert outcome(story)["mails"] == CALM[never_paid]["mails"][:-1]  # type: ignore[index]  # a list
    assert outcome(story)["calls"] == CALM[never_paid]["calls"]
    assert story.level() == ("revoked", "grace_expired")
