"""Negative controls: with one guard taken out, the checker must find a breach, and none with it in place.

In one process, with the real database and mail server, so that each takes half a second;
`test_controls_at_length.py` has the same with real processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
from sqlalchemy import text

from db.models import inbox
from emails.services import templates
from providers.lookup import Lookup, Normalised
from tests.chaos.rig import books
from tests.chaos.rig.checker import Findings, check
from tests.chaos.rig.history import Answered, History
from tests.chaos.rig.mail_service import MailService
from tests.chaos.rig.weakened import DROPPED_KEY, GUARDS
from tests.scenarios.story import RENEWAL, subscriber
from tests.scenarios.world import DOMAIN, World
from worker.queues import EVENTS
from worker.usecases.apply_events import apply_events

TAKEN_UP_FOR = timedelta(seconds=13)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Take a guard out, for one test."""

    def take_out(guard: str) -> None:
        for module, name, instead in GUARDS[guard]:
            monkeypatch.setattr(import_module(module), name, instead)

    return take_out


def findings(world: World, history: History | None = None) -> Findings:
    """What the checker says: everything in the inbox was acknowledged."""
    history = history or History()
    for row in world.rows(inbox):
        history.write(Answered(0.0, row.event_id, 200, 0.0))
    return check(history, world.run(books.read(world.services.engine)), DOMAIN)


@pytest.mark.parametrize("guarded", [True, False])
def test_without_the_sweeper_an_event_whose_wake_up_is_lost_is_lost(world: World, guarded: bool) -> None:
    """Redis is empty: whoever looks for what is due finds it, and nobody else does."""
    world.forgetful = True
    subscriber(world, "insufficient_funds")
    if guarded:
        world.machine_time(timedelta(seconds=20))
    assert bool(findings(world).lost) is not guarded


class Pausing:
    """Stripe, which does not answer the first question before `go_on`."""

    def __init__(self, world: World) -> None:
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self._gateway = world.services.gateways["stripe"]

    async def look_up(self, lookup: Lookup) -> Normalised:
        self.asked.set()
        await self.go_on.wait()
        return await self._gateway.look_up(lookup)


@pytest.mark.parametrize("guarded", [True, False])
def test_without_the_row_lock_a_worker_that_was_frozen_applies_an_event_again(
    world: World, guarded: bool, without: Callable[[str], None]
) -> None:
    """It had taken the event up, slept until somebody else had applied it, and goes on."""
    if not guarded:
        without("row lock")
    story = subscriber(world, "insufficient_funds")
    world.held = {EVENTS}
    world.stripe.engine.advance(story.present_clock, RENEWAL)
    world.settle()
    ids = [row.id for row in world.rows(inbox) if row.status == "pending"]
    stripe = Pausing(world)

    async def play() -> None:
        frozen = replace(world.services, gateways={"stripe": stripe})
        sleeper = asyncio.create_task(apply_events(frozen, ids))
        await stripe.asked.wait()
        await world.stage.let_pass(TAKEN_UP_FOR)
        await apply_events(world.services, ids)
        stripe.go_on.set()
        await sleeper

    world.run(play())
    assert bool(findings(world).twice) is not guarded


def execute(world: World, statement: str) -> None:
    async def run() -> None:
        async with world.services.engine.begin() as connection:
            await connection.execute(text(statement))

    world.run(run())


@contextmanager
def dropped_key(world: World) -> Iterator[None]:
    """The inbox takes the same event twice while the block runs."""
    execute(world, DROPPED_KEY)
    try:
        yield
    finally:
        world.stage.clear()
        execute(world, "ALTER TABLE inbox ADD UNIQUE (source, event_id)")


@pytest.mark.parametrize("guarded", [True, False])
def test_without_the_unique_key_an_event_that_is_delivered_twice_is_applied_twice(
    world: World, guarded: bool
) -> None:
    """The second row is as good as the first."""
    story = subscriber(world, "insufficient_funds")
    world.stripe.engine.advance(story.present_clock, RENEWAL)
    if guarded:
        assert not deliver_twice(world).twice
        return
    with dropped_key(world):
        assert deliver_twice(world).twice


def deliver_twice(world: World) -> Findings:
    events = world.hear()
    world.deliver(events)
    world.deliver(events)
    return findings(world)


@pytest.mark.parametrize(
    ("guarded", "keys", "doubled"), [(True, False, 0), (False, False, 1), (False, True, 0)]
)
def test_without_a_key_of_the_mail_service_a_mail_that_is_sent_again_arrives_twice(
    world: World, without: Callable[[str], None], guarded: bool, keys: bool, doubled: int
) -> None:
    """The server took it and fell silent. We do not send it again; if we did, only its key would hold it."""
    if not guarded:
        without("silence is no refusal")
    world.courier = replace(world.courier, sender=replace(world.courier.sender, headers=templates("resend")))
    history = History()
    service = MailService(history, 1, keys=keys, silence=0.0)
    service.silent = 1.0
    world.inbox.fate = service.fate
    subscriber(world, "insufficient_funds").until(0)
    world.machine_time(timedelta(seconds=60))

    found = findings(world, history)
    assert (len(found.doubled), len(found.unknown)) == (doubled, int(guarded))
