"""The breaker trips, an event is given up: the team is told on every channel, once where somebody answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
import structlog
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import alarms, breaker, dead, models
from db.alarms import CALL_AGAIN
from db.dead import CALL_EVERY
from emails.delivery import Accepted, Deferred, Rejected, Unanswered
from tests.db.rows import store_event
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.world import TEAM_ADDRESS, World
from tests.worker.breaking import commit, look, release, trip
from tests.worker.chat import Chat, chat
from tests.worker.transports import Scripted
from worker.breaker import watch
from worker.queues import ALARM
from worker.usecases.sound_alarm import sound_alarm


@pytest.fixture
def room() -> Iterator[Chat]:
    with chat() as running:
        yield running


def sound(world: World, transport: Scripted | None = None) -> None:
    """The scheduler looks, and a worker answers each of its wake-ups."""
    look(world, None)
    courier = replace(world.courier, transport=transport) if transport else world.courier
    while world.queue:
        wakeup, ids = world.queue.popleft()
        assert wakeup is ALARM
        world.run(sound_alarm(world.services, courier, ids))


def wait(world: World) -> None:
    """The time until a call is made again."""

    async def age(connection: AsyncConnection) -> None:
        due = models.alarms.c.due_at - CALL_AGAIN
        await connection.execute(update(models.alarms).values(due_at=due))

    commit(world, age)


def test_mail_and_chat_are_told_once(make_world: MakeWorld, room: Chat) -> None:
    """What is on hold, why, what goes on and what to do; then nobody is called again."""
    world = make_world(chat_url=room.url)
    commit(world, lambda c: breaker.trip(c, "90 charges failed within an hour, where <40> are let pass"))
    for _ in range(3):
        sound(world)
        wait(world)
    [mail] = world.inbox.to(TEAM_ADDRESS)
    assert mail.subject == "Acme: dunning is on hold"
    for part in ("90 charges failed", "<40>", "Receipts", "dunning breaker release --by"):
        assert part in mail.text
    [said] = room.heard
    assert "where &lt;40&gt; are let pass" in said["text"]
    [row] = world.rows(models.alarms)
    assert (row.called, row.called_at is not None) == (["chat", "mail"], True)


def test_who_tripped_it_by_hand_is_named(world: World) -> None:
    """The others on the team did not do it."""
    trip(world)
    sound(world)
    [mail] = world.inbox.to(TEAM_ADDRESS)
    assert "maria has put it on hold: a wrong price list." in mail.text.replace("\r\n", " ")


@pytest.mark.parametrize("answer", [Deferred(451, "later"), Unanswered("timed out")])
def test_without_an_answer_it_is_told_again(world: World, answer: Deferred | Unanswered) -> None:
    """In two minutes, not before: twice told is better than not told."""
    trip(world)
    transport = Scripted(answer, Accepted("250 ok"))
    sound(world, transport)
    sound(world, transport)
    assert len(transport.sent) == 1
    for _ in range(2):
        wait(world)
        sound(world, transport)
    assert len(transport.sent) == 2
    assert transport.sent[0] == transport.sent[1]


def test_a_chat_out_of_order_repeats_no_mail(make_world: MakeWorld, room: Chat) -> None:
    """Each channel is told for itself."""
    world = make_world(chat_url=room.url)
    room.answers = [500]
    trip(world)
    sound(world)
    wait(world)
    sound(world)
    assert (len(world.inbox.to(TEAM_ADDRESS)), len(room.heard)) == (1, 2)


def test_a_refusal_is_final_and_an_error_in_the_log(world: World) -> None:
    """An address that does not exist will not exist in two minutes either."""
    trip(world)
    transport = Scripted(Rejected(550, "no such user"))
    with structlog.testing.capture_logs() as events:
        sound(world, transport)
        wait(world)
        sound(world, transport)
    assert len(transport.sent) == 1
    assert ("alarm.refused", "error") in [(event["event"], event["log_level"]) for event in events]


def test_a_team_that_nobody_can_reach_is_an_error_in_the_log(world: World) -> None:
    """Said once; `dunning status` says it as long as it lasts."""
    world.services = replace(world.services, team_channels=())
    trip(world)
    with structlog.testing.capture_logs() as events:
        for _ in range(3):
            sound(world)
            wait(world)
    assert [event["event"] for event in events].count("alarm.nobody_to_call") == 1


def test_released_before_anybody_was_told_nobody_is(world: World) -> None:
    """The wake-up comes too late to be of use."""
    trip(world)
    look(world, None)
    release(world)
    sound(world)
    assert world.inbox.to(TEAM_ADDRESS) == []


def test_an_import_is_one_call_in_place_of_hundreds(make_world: MakeWorld) -> None:
    """How many cases there are, how many of them were due for a call, and where they are found."""
    world = make_world()
    commit(world, lambda c: alarms.sound(c, "import", 1, {"cases": 412, "uncalled": 257}))
    sound(world)
    [mail] = world.inbox.to(TEAM_ADDRESS)
    assert mail.subject == "Acme: 412 open cases were taken over"
    assert "257 of these cases were due for a call" in mail.text


def given_up(world: World, *events: str) -> None:
    """These could not be applied."""
    for event_id in events:
        commit(world, partial(store_event, event_id=event_id, status="dead"))


async def a_day_passes(connection: AsyncConnection) -> None:
    await connection.execute(update(models.alarms).values(raised_at=models.alarms.c.raised_at - CALL_EVERY))


def test_events_that_were_given_up_are_a_call_and_another_each_day(world: World) -> None:
    """How many there are and what to do, however many more are given up meanwhile; none when none is left."""
    given_up(world, "evt_1")
    sound(world)
    given_up(world, "evt_2", "evt_3")
    sound(world)
    commit(world, a_day_passes)
    sound(world)
    first, second = world.inbox.to(TEAM_ADDRESS)
    assert (first.subject, second.subject) == (
        "Acme: an event could not be applied",
        "Acme: 3 events could not be applied",
    )
    for part in ("dunning dead list", "dunning dead retry --all", "dunning dead discard", "once a day"):
        assert part in second.text

    commit(world, lambda c: dead.retry(c, None))
    commit(world, a_day_passes)
    sound(world)
    assert len(world.inbox.to(TEAM_ADDRESS)) == 2


def test_two_schedulers_call_about_events_that_were_given_up_once(world: World) -> None:
    """Both find them in the same moment."""
    given_up(world, "evt_1")
    world.all_at_once(*(watch(world.services.engine, world.services.nudge, None) for _ in range(2)))
    assert len(world.rows(models.alarms)) == 1
