"""Mistakes that other dunning systems made with events and mails, each with a test that holds the guard.

Classes that are shown better by a scenario carry their number there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from db import models
from providers.lookup import Lookup, Normalised
from sandbox.stripe import NEW, OLD, Card, custom_schedule
from sandbox.stripe.objects import render_event
from sandbox.stripe.versions import ApiVersion
from tests.scenarios.arrivals import Manner
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import subscriber
from tests.scenarios.world import World
from worker.queues import CASES, MAIL, Wakeup

ONCE = custom_schedule(30, at_end="past_due")
TO_THE_END = custom_schedule(3, 5, 7, at_end="past_due")


class ProcessEndedError(BaseException):
    """Stands for kill -9: nobody catches it."""


def test_class_01_one_fact_gives_one_mail(make_world: MakeWorld) -> None:
    """Every event of a failure three times under other ids, each delivered twice: one mail."""
    world = make_world(manner=Manner(batched=False, twice=True))
    story = subscriber(world, "insufficient_funds", retries=ONCE)
    world.stripe.engine.advance(story.present_clock, story.renewal)
    for event in world.stripe.engine.events():
        world.stripe.engine.repeat_event(event)
        world.stripe.engine.repeat_event(event)
    world.settle()
    story.until(2)

    assert story.mails() == [(0, "payment_failed 1")]


def test_class_02_failed_and_paid_are_never_told_together(world: World) -> None:
    """The retry worked before anybody could be told of the failure: silence."""
    story = subscriber(world, "insufficient_funds", "ok", retries=custom_schedule(1)).until(-1)
    world.stripe.engine.advance(story.present_clock, story.renewal + timedelta(days=1))
    world.settle()
    story.until(4)

    assert story.mails() == []
    assert story.outcome() == "recovered"


def test_class_03_two_schedulers_and_many_workers_send_one_mail(make_world: MakeWorld) -> None:
    """Two of everything look at the same rows at the same time: one mail, one call, one end."""
    world = make_world(manner=Manner(batched=False, twice=True, at_once=True))
    story = subscriber(world, "revocation_of_authorization", retries=ONCE)
    for day in (0, 11, 13, 14):
        story.until(day, stops=())
        world.tick_twice_at_once()

    assert [what for _, what in story.mails()] == [
        "payment_failed 1",
        "final_warning 72h",
        "final_warning 24h",
        "access_ended",
    ]
    assert story.calls() == [(0, "consent_withdrawn")]


def test_class_06_a_worker_that_ends_while_it_applies_loses_no_event(world: World) -> None:
    """Killed while it asks Stripe, the event is still pending, and the scheduler hands it out again."""
    story = subscriber(world, "insufficient_funds", retries=ONCE)
    whole = world.services

    class Deadly:
        def __getattr__(self, name: str) -> Any:
            return getattr(whole.gateways["stripe"], name)

        async def look_up(self, lookup: Lookup) -> Normalised:
            raise ProcessEndedError

    world.services = replace(whole, gateways={"stripe": Deadly()})
    with pytest.raises(ProcessEndedError):
        story.until(0)
    world.queue.clear()
    world.services = whole
    world.machine_time(timedelta(minutes=1))

    assert story.mails() == [(0, "payment_failed 1")]
    assert world.unfinished() == 0


@pytest.mark.parametrize(
    "lost", [CASES, MAIL], ids=["before it nudges for cases", "before it nudges for mail"]
)
def test_class_06_a_worker_that_ends_after_its_commit_loses_no_effect(world: World, lost: Wakeup) -> None:
    """Killed between the commit and the wake-up: what was decided is carried out a moment later, once."""
    story = subscriber(world, "insufficient_funds", retries=ONCE)
    whole = world.services

    async def end_of_process(wakeup: Wakeup, ids: Sequence[int]) -> None:
        if wakeup is lost:
            raise ProcessEndedError
        await whole.nudge(wakeup, ids)

    world.services = replace(whole, nudge=end_of_process)
    with pytest.raises(ProcessEndedError):
        story.until(0, stops=())
    world.queue.clear()
    world.services = whole
    world.machine_time(timedelta(minutes=1))

    assert story.mails() == [(0, "payment_failed 1")]
    assert world.unfinished() == 0


def test_class_08_a_mail_that_fails_is_no_reason_to_refuse_an_event(world: World) -> None:
    """The mail server is down: every event is applied and done, access is right, the payment is seen."""
    story = subscriber(world, "insufficient_funds", retries=ONCE)
    with world.inbox.down():
        story.until(0)
        assert {row.status for row in world.rows(models.inbox)} == {"done"}
        assert story.level() == ("warned", "payment_failed")
        assert story.pay(Card())
        assert {row.status for row in world.rows(models.inbox)} == {"done"}
        assert story.level() == ("full", "good_standing")


@pytest.mark.parametrize("version", [OLD, NEW])
def test_class_09_the_reason_is_known_though_no_event_tells_it(make_world: MakeWorld, version: str) -> None:
    """No invoice event names the decline, in either shape: it is asked for, and the mail says it."""
    world = make_world(version=version)
    story = subscriber(world, "expired_card", retries=ONCE).until(0)

    for event in world.stripe.engine.events("invoice.payment_failed"):
        assert "expired_card" not in json.dumps(render_event(event, ApiVersion(version)))
    assert "has expired" in story.text()
