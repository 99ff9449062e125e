"""Events that were lost on their way are taken in from Stripe's own list, once, as of their own time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NoReturn
from zoneinfo import ZoneInfo

import pytest

from db import models, reconciliations
from db.reconciliations import COMPARISON, EVENTS, LostLeaseError
from providers.lookup import ProviderUnavailableError
from providers.stripe.client import RefusedError
from providers.stripe.listing import PacedApi
from providers.stripe.mirror import StripeMirror
from sandbox.stripe import Card, Fault
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import START, World
from tests.worker.importing import Moments, pace
from tests.worker.reconciling import automatic, carry_out, change, fill, rows, take, tools
from worker.queues import RECONCILE
from worker.reconciling import hand_out
from worker.usecases.reconcile import carry_on, reconcile_each, until_night

FAILED = "type:invoice.payment_failed"


def failed(make_world: MakeWorld) -> tuple[World, Story]:
    """A renewal failed yesterday, and nothing of it has arrived."""
    world = make_world()
    story = subscriber(world, "expired_card")
    engine = world.stripe.engine
    engine.advance(engine.refresh(story.clock), story.renewal)
    world.hear()
    return world, story


def stored(world: World) -> list[str]:
    return sorted(row.event_id for row in world.rows(models.inbox, models.inbox.c.event_id))


def test_an_outage_is_made_up_for(make_world: MakeWorld) -> None:
    """The customer is told, and nothing is missing any more."""
    world, story = failed(make_world)
    assert fill(world)[FAILED] == 1
    world.tick()
    assert story.mails() == [(0, "payment_failed 1")]
    assert fill(world)["filled"] == 0


def test_class_6_what_arrives_after_all_changes_nothing(make_world: MakeWorld) -> None:
    """The provider's own retry of a delivery is a duplicate of what was taken in."""
    world, story = failed(make_world)
    fill(world)
    world.tick()
    once = stored(world)
    world.deliver(world.stripe.engine.events())
    assert (stored(world), story.mails()) == (once, [(0, "payment_failed 1")])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_class_5_whatever_is_lost_the_end_is_the_same(make_world: MakeWorld, seed: int) -> None:
    """Half of a story's events arrive, among them perhaps the payment; the rest is found."""
    world, story = failed(make_world)
    world.stripe.engine.pay_invoice(story.invoice, card=Card(last4="4242"), on_session=True)
    events = world.stripe.engine.events()
    chance = Random(seed)  # noqa: S311  # repeatable, not a secret
    world.deliver([event for event in events if chance.random() < 0.5])
    fill(world)
    world.tick()
    assert story.level() == ("full", "good_standing")
    assert story.outcome() == "recovered"


def test_many_pages(world: World) -> None:
    """A hundred events are one of Stripe's pages, and what nobody handles is not stored."""
    for number in range(120):
        world.stripe.engine.create_customer(f"c{number}@customer.example")
    done = fill(world)
    assert (done["listed"], done["filled"], stored(world)) == (120, 0, [])
    assert len(world.stripe.api.requested("GET", "/v1/events")) == 2


def test_whoever_is_killed_half_way_is_followed_by_one_who_goes_on(world: World) -> None:
    """Behind the first page nobody asks for it again; what is made meanwhile is for the next run."""
    for number in range(120):
        world.stripe.engine.create_customer(f"c{number}@customer.example")
    killed = take(world, EVENTS, START)
    assert killed is not None
    last_read = world.stripe.engine.events()[20].id
    past = killed.created_at
    change(world, EVENTS, cursors={"events": last_read}, lease_until=past, due_at=past)
    automatic(world, killed.id)
    done = rows(world)[EVENTS]
    assert (done.counts["listed"], done.begun_at, done.high_water) == (20, None, killed.begun_at)


def test_what_does_not_fit_into_the_time_is_gone_on_with_at_once(world: World) -> None:
    """A worker does not stay away from other work for long: it wakes the next one."""
    assert carry_out(world, EVENTS, within=-1) is None
    row = rows(world)[EVENTS]
    assert (row.lease_until, row.succeeded_at, list(world.queue)) == (None, None, [(RECONCILE, [row.id])])
    automatic(world, row.id)
    assert rows(world)[EVENTS].succeeded_at is not None


def test_one_at_a_time_in_the_whole_installation(world: World) -> None:
    """Neither the same nor the other kind begins while one is under way, until its half minute is over."""
    run = take(world, EVENTS)
    assert run is not None
    assert take(world, EVENTS) is None
    assert take(world, COMPARISON) is None
    past = datetime(2026, 1, 1, tzinfo=UTC)
    change(world, EVENTS, lease_until=past)
    other = take(world, COMPARISON)
    assert other is not None
    change(world, COMPARISON, lease_until=past)
    again = take(world, EVENTS)
    assert again is not None
    assert again.fence == run.fence + 1


def test_who_has_slept_through_the_lease_writes_nothing(make_world: MakeWorld) -> None:
    """Somebody else has it by now: the page that was read is dropped with its cursor."""
    world, _ = failed(make_world)
    before = stored(world)
    run = take(world, EVENTS)
    assert run is not None
    change(world, EVENTS, fence=run.fence + 1)

    ended = world.run(carry_on(tools(world), run, within=60))
    assert isinstance(ended, LostLeaseError)
    assert stored(world) == before


def test_a_source_that_cannot_be_asked_any_more_is_left_for_an_hour(world: World) -> None:
    """Its key was taken out of the settings; what is due of it holds nobody up."""
    run = rows(world)[EVENTS]
    change(world, EVENTS, due_at=run.created_at)
    world.run(reconcile_each(world.services, {}, [run.id]))
    left = rows(world)[EVENTS]
    assert (left.last_error, left.lease_until) == ("nobody to ask", None)
    assert left.due_at - run.created_at > timedelta(minutes=59)


class Surprising(StripeMirror):
    """Answers what nobody has thought of."""

    async def events(self, since: datetime, after: str | None) -> NoReturn:
        raise KeyError("data")


def test_a_source_that_surprises_us_holds_up_no_other(world: World) -> None:
    """What it was is written down, and it is tried again later; the next one has its turn."""

    async def ensure() -> None:
        async with world.services.engine.begin() as connection:
            await reconciliations.ensure(connection, "stripe:acct_1")

    first = rows(world)[EVENTS]
    world.run(ensure())
    change(world, EVENTS, due_at=first.created_at)
    ids = world.run(hand_out(world.services.engine, world.services.nudge))
    good = tools(world)
    bad = replace(good, mirror=Surprising(PacedApi("", pace(20, Moments())), livemode=False))
    world.run(reconcile_each(world.services, {"stripe": bad, "stripe:acct_1": good}, ids, within=60))

    left, done = sorted(world.rows(models.reconciliations), key=lambda row: row.fence)[-2:]
    assert (left.source, left.last_error, left.lease_until) == ("stripe", "KeyError", None)
    assert left.due_at > left.failed_at
    assert (done.source, done.last_error) == ("stripe:acct_1", None)
    assert done.succeeded_at is not None


def test_the_scheduler_wakes_a_worker_when_it_is_time(world: World) -> None:
    """First in an hour; two schedulers make one run, which is due again an hour later."""
    assert world.run(hand_out(world.services.engine, world.services.nudge)) == []
    run = rows(world)[EVENTS]
    assert timedelta(minutes=59) < run.due_at - run.created_at <= timedelta(hours=1)
    change(world, EVENTS, due_at=run.created_at)
    world.all_at_once(*(hand_out(world.services.engine, world.services.nudge) for _ in range(2)))
    assert [wakeup for wakeup, _ in world.queue] == [RECONCILE, RECONCILE]
    world.queue.clear()
    automatic(world, run.id, run.id)
    done = rows(world)[EVENTS]
    assert done.succeeded_at is not None
    assert done.fence == 1
    assert timedelta(minutes=59) < done.due_at - done.succeeded_at <= timedelta(hours=1)


def test_it_goes_on_from_the_mark_with_an_hour_of_overlap(world: World) -> None:
    """The first time from its own beginning on: what was before us is not ours to tell of."""
    first = rows(world)[EVENTS]
    for expected in (first.created_at, None):
        mark = rows(world)[EVENTS].high_water
        change(world, EVENTS, due_at=first.created_at)
        automatic(world, first.id)
        since = rows(world)[EVENTS].since
        assert since == (expected or (mark and mark - timedelta(hours=1)))


def test_by_hand_the_mark_moves_only_where_nothing_is_left_out(world: World) -> None:
    """Who looks at two hours of the ten that were missed leaves the rest to the next run."""
    run = rows(world)[EVENTS]
    mark = run.created_at - timedelta(hours=10)
    change(world, EVENTS, high_water=mark)
    assert carry_out(world, EVENTS, run.created_at - timedelta(hours=2)) is None
    assert rows(world)[EVENTS].high_water == mark
    assert carry_out(world, EVENTS, run.created_at - timedelta(hours=20)) is None
    assert rows(world)[EVENTS].high_water != mark


def test_what_stripe_does_not_tell_any_more_is_left_to_a_comparison(world: World) -> None:
    """A mark of forty days ago: as far as Stripe's list reaches, and everything is compared at once."""
    run = rows(world)[EVENTS]
    old = run.created_at - timedelta(days=40)
    change(world, EVENTS, due_at=old, high_water=old)
    automatic(world, run.id)
    done = rows(world)
    since = done[EVENTS].since
    assert since is not None
    assert timedelta(days=29) < done[EVENTS].due_at - since < timedelta(days=30, hours=1)
    assert done[COMPARISON].due_at <= done[EVENTS].due_at - timedelta(minutes=59)


@pytest.mark.parametrize(
    ("fault", "error", "wait"),
    [
        (Fault(match="GET /v1/events", status=503, times=100), ProviderUnavailableError, 5),
        (Fault(match="GET /v1/events", status=429, times=100), ProviderUnavailableError, 1),
        (Fault(match="GET /v1/events", status=403, times=100), ProviderUnavailableError, 60),
        (Fault(match="GET /v1/events", status=400, times=100), RefusedError, 5),
    ],
    ids=["away", "too fast", "not allowed", "refused"],
)
def test_stripe_that_cannot_be_asked_is_asked_later(
    make_world: MakeWorld, fault: Fault, error: type[Exception], wait: int
) -> None:
    """How long later depends on why; it is written down, nothing is lost, and then it is made up for."""
    world, _ = failed(make_world)
    world.stripe.faults.add(fault)
    assert isinstance(carry_out(world, EVENTS), error)
    row = rows(world)[EVENTS]
    assert row.failed_at is not None
    assert row.last_error
    assert row.due_at - row.failed_at == pytest.approx(timedelta(minutes=wait), abs=timedelta(seconds=1))
    assert row.high_water is None
    world.stripe.faults.clear()
    assert fill(world)[FAILED] == 1


def test_a_provider_that_wants_it_slower(make_world: MakeWorld) -> None:
    """It is asked again."""
    world, _ = failed(make_world)
    world.stripe.faults.add(Fault(match="GET /v1/events", status=429))
    assert fill(world)[FAILED] == 1


def test_the_night_is_the_merchants() -> None:
    """Three in the morning, where they are, in summer as well."""

    berlin = ZoneInfo("Europe/Berlin")
    assert until_night(datetime(2026, 7, 1, 0, tzinfo=UTC), berlin) == timedelta(hours=1)
    assert until_night(datetime(2026, 7, 1, 1, tzinfo=UTC), berlin) == timedelta(days=1)
    assert until_night(datetime(2026, 1, 1, 12, tzinfo=UTC), berlin) == timedelta(hours=14)
