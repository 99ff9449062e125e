"""The team's mail and the team's chat, each on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from db import models, outbox
from db.session import driver
from sandbox.stripe import Card, custom_schedule
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import TEAM_ADDRESS, World
from tests.worker.chat import Chat, chat
from tests.worker.mailing import LEASE_OVER
from worker.queues import MAIL, TEAM

TO_THE_END = custom_schedule(3, 5, 7, at_end="past_due")


@pytest.fixture
def room() -> Iterator[Chat]:
    with chat() as running:
        yield running


@pytest.fixture
def chatty(make_world: MakeWorld, room: Chat) -> World:
    """A world whose team has an address and a chat."""
    return make_world(chat_url=room.url)


def called(world: World, code: str = "revocation_of_authorization") -> Story:
    """A customer for whom the team is called at once."""
    return subscriber(world, code, retries=TO_THE_END, name="Ada <script> & Co").until(0)


def statuses(world: World) -> dict[str, str]:
    """Channel -> status of the calls to the team."""
    return {row.channel: row.status for row in world.rows(models.outbox) if row.kind == "team"}


def test_mail_and_chat_are_told_once_each(chatty: World, room: Chat) -> None:
    """Both channels get the same call with who, how much and why; what a customer wrote is escaped."""
    story = called(chatty)

    assert statuses(chatty) == {"mail": "sent", "chat": "sent"}
    assert story.calls() == [(0, "consent_withdrawn")]
    [message] = room.heard
    assert set(message) == {"text"}
    assert "Ada &lt;script&gt; &amp; Co" in message["text"]
    assert "$19.00" in message["text"]
    assert "the customer told their bank to stop this payment" in message["text"]


def test_a_chat_that_is_out_of_order_is_told_when_it_is_back(chatty: World, room: Chat) -> None:
    """500, then 200: the same message again after a wait; the mail was sent at once and only once."""
    room.answers = [500]
    story = called(chatty)
    assert statuses(chatty) == {"mail": "sent", "chat": "pending"}

    chatty.machine_time(timedelta(seconds=31))

    assert statuses(chatty) == {"mail": "sent", "chat": "sent"}
    assert len(room.heard) == 2
    assert room.heard[0] == room.heard[1]
    assert len(story.calls()) == 1


@pytest.mark.parametrize("status", [400, 404, 410, 302])
def test_a_chat_that_refuses_is_not_asked_again(chatty: World, room: Chat, status: int) -> None:
    """A webhook that is gone stays gone: failed, once."""
    room.answers = [status]
    called(chatty)
    chatty.machine_time(timedelta(hours=1))

    assert statuses(chatty) == {"mail": "sent", "chat": "failed"}
    assert len(room.heard) == 1


@pytest.mark.parametrize("status", [408, 429, 503])
def test_a_chat_that_is_busy_is_asked_again(chatty: World, room: Chat, status: int) -> None:
    """Too many requests, or a time-out, is no refusal."""
    room.answers = [status]
    called(chatty)
    chatty.machine_time(timedelta(seconds=31))

    assert statuses(chatty)["chat"] == "sent"


def test_a_chat_nobody_answers_for_is_asked_again(make_world: MakeWorld) -> None:
    """No connection at all: put off, with the kind of error and no address in the row."""
    with chat() as gone:
        url = gone.url
    world = make_world(chat_url=url)
    called(world)

    assert statuses(world)["chat"] == "pending"
    [row] = [row for row in world.rows(models.outbox) if row.channel == "chat"]
    assert row.last_error == "not accepted yet (no answer): ConnectError"


def test_the_mail_to_the_team_is_refused_and_the_chat_still_told(chatty: World, room: Chat) -> None:
    """One channel failing does not stop the other."""
    chatty.held = {MAIL}
    chatty.inbox.refuse(1, "550 5.1.1 no such user", at="rcpt")
    called(chatty)

    assert statuses(chatty) == {"mail": "failed", "chat": "sent"}


@pytest.mark.parametrize("paid", [False, True])
def test_a_call_that_was_cut_off_is_made_again(chatty: World, room: Chat, paid: bool) -> None:
    """Its worker ended before anybody knew of an answer: twice told is better than not, while it is news."""
    chatty.held = {TEAM}
    story = called(chatty)
    [row] = [row.id for row in chatty.rows(models.outbox) if row.channel == "chat"]
    chatty.run(hand_over(chatty, row))
    assert not paid or story.pay(Card())
    chatty.held = set()
    chatty.machine_time(LEASE_OVER)

    assert statuses(chatty)["chat"] == ("unknown" if paid else "sent")
    assert room.heard == ([] if paid else [{"text": "Ada"}])


async def hand_over(world: World, row: int) -> None:
    """Everything up to the moment before the first byte."""
    engine = world.services.engine
    async with engine.begin() as connection:
        claim = await outbox.claim(connection, row)
    assert claim
    async with driver(engine) as connection:
        assert await outbox.hand_over(connection, claim, None, {"text": "Ada"})


def test_a_case_that_is_paid_needs_nobody_any_more(chatty: World, room: Chat) -> None:
    """The customer pays before the team's wake-up is answered: neither mail nor chat."""
    chatty.held = {TEAM}
    story = called(chatty)
    chatty.held = set()
    assert story.pay(Card())
    chatty.tick()

    assert statuses(chatty) == {"mail": "suppressed", "chat": "suppressed"}
    assert room.heard == []
    assert chatty.inbox.to(TEAM_ADDRESS) == []


def test_a_team_nobody_can_reach_leaves_a_row_that_says_so(world: World) -> None:
    """Without any channel the call is still on record."""
    world.services = replace(world.services, team_channels=())
    called(world)

    assert statuses(world) == {"none": "suppressed"}
    assert world.inbox.to(TEAM_ADDRESS) == []
