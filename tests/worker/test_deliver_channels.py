"""The team's channels by Apprise, each a row of its own in the outbox: against real servers on loopback."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from db import models
from outbound import channels
from sandbox.stripe import custom_schedule
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import TEAM_ADDRESS, World
from tests.worker.breaking import look, trip
from tests.worker.chat import Chat, chat
from worker.queues import ALARM
from worker.usecases.sound_alarm import sound_alarm

TO_THE_END = custom_schedule(3, 5, 7, at_end="past_due")
TOKEN = "abcdefghijklmnopqrstuvwxyz"  # what Mattermost calls one


@pytest.fixture
def room() -> Iterator[Chat]:
    with chat() as running:
        yield running


@pytest.fixture
def pager() -> Iterator[Chat]:
    with chat() as running:
        yield running


def port(room: Chat) -> str:
    return room.url.split(":")[2].partition("/")[0]


@pytest.fixture
def equipped(world: World, room: Chat, pager: Chat) -> World:
    """A team with a mail address, a Mattermost and a pager."""
    urls = {
        "ops": f"mmost://127.0.0.1:{port(room)}/{TOKEN}",
        "oncall": f"json://me:pager-secret@127.0.0.1:{port(pager)}/alarm",
    }
    world.services = replace(world.services, team_channels=("mail", *urls))
    world.courier = replace(world.courier, channels=urls)
    return world


def called(world: World) -> Story:
    """A customer for whom the team is called at once."""
    return subscriber(world, "revocation_of_authorization", retries=TO_THE_END, name="Ada & Co").until(0)


def statuses(world: World) -> dict[str, str]:
    return {row.channel: row.status for row in world.rows(models.outbox) if row.kind == "team"}


def test_each_channel_is_told_once_in_its_own_form(equipped: World, room: Chat, pager: Chat) -> None:
    """The mail's subject and text, as plain words; in the journal each under its name."""
    story = called(equipped)
    assert statuses(equipped) == {"mail": "sent", "ops": "sent", "oncall": "sent"}
    [paged] = pager.heard
    assert "Ada & Co" in paged["title"] + paged["message"]
    assert "the customer told their bank to stop this payment" in paged["message"]
    [written] = room.heard
    assert written["username"] == "Dunning"
    assert paged["title"] in written["text"]
    entries = [entry for entry in story.journal() if entry.kind == "channel.sent"]
    assert sorted(entry.data["channel"] for entry in entries) == ["oncall", "ops"]


def test_a_channel_out_of_order_repeats_none_of_the_others(
    equipped: World, room: Chat, pager: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    """It alone is tried again, and nothing of its URL is in the log or the row."""
    pager.answers = [500]
    with caplog.at_level(logging.DEBUG):
        called(equipped)
    assert statuses(equipped) == {"mail": "sent", "ops": "sent", "oncall": "pending"}
    [row] = [row for row in equipped.rows(models.outbox) if row.channel == "oncall"]
    assert "error=500" in row.last_error
    for text in (row.last_error, caplog.text, json.dumps(row.rendered)):
        assert "pager-secret" not in text
        assert TOKEN not in text
    equipped.machine_time(timedelta(seconds=31))
    assert statuses(equipped)["oncall"] == "sent"
    assert (len(room.heard), len(pager.heard), len(equipped.inbox.to(TEAM_ADDRESS))) == (1, 2, 1)


def test_a_channel_that_hangs_is_left(equipped: World, room: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time nobody waits any more; the others have long been told."""
    monkeypatch.setattr(channels, "WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"json://127.0.0.1:{silent.getsockname()[1]}/?rto=1"
        urls = dict(equipped.courier.channels) | {"oncall": url}
        equipped.courier = replace(equipped.courier, channels=urls)
        called(equipped)
    assert statuses(equipped) == {"mail": "sent", "ops": "sent", "oncall": "pending"}


def test_a_channel_that_was_taken_out_of_the_settings_has_failed(equipped: World) -> None:
    """What was still to be sent there is not sent anywhere."""
    equipped.courier = replace(equipped.courier, channels={})
    called(equipped)
    assert statuses(equipped) == {"mail": "sent", "ops": "failed", "oncall": "failed"}


def test_the_alarm_reaches_every_channel(equipped: World, room: Chat, pager: Chat) -> None:
    """The breaker's too."""
    trip(equipped)
    look(equipped, None)
    while equipped.queue:
        wakeup, ids = equipped.queue.popleft()
        assert wakeup is ALARM
        equipped.run(sound_alarm(equipped.services, equipped.courier, ids))
    [paged] = pager.heard
    assert paged["title"] == "Acme: dunning is on hold"
    assert "dunning breaker release" in paged["message"]
    assert len(room.heard) == 1
    [row] = equipped.rows(models.alarms)
    assert sorted(row.called) == ["mail", "oncall", "ops"]


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("json://127.0.0.1/", True),
        (f"mmost://chat.acme.example/{TOKEN}", True),
        ("slack://x", False),
        ("imaginary://x", False),
    ],
)
def test_a_url_is_known_or_not(url: str, known: bool) -> None:
    """Without anything being sent."""
    assert channels.is_known(url) is known
