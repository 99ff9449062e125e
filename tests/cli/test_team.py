"""`dunning team test`: which channels take a message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.inbox import Inbox
from tests.cli.forking import dunning
from tests.settings.examples import ALL
from tests.worker.chat import Chat, chat


@pytest.fixture
def room() -> Iterator[Chat]:
    with chat() as running:
        yield running


def test_each_channel_says_whether_it_took_the_message(room: Chat, inbox: Inbox, tmp_path: Path) -> None:
    """By mail, chat and a channel; one that refuses makes the exit code 1 and says why."""
    port = room.url.split(":")[2].partition("/")[0]
    env = ALL | {
        "SMTP_URL": inbox.url,
        "DUNNING_TEAM_EMAIL": "us@acme.example",
        "DUNNING_TEAM_WEBHOOK_URL": room.url,
        "DUNNING_TEAM_CHANNELS": f"ops=json://me:secret@127.0.0.1:{port}/",
    }
    done = dunning("team", "test", cwd=tmp_path, **env)
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [
        ["mail", "yes"],
        ["chat", "yes"],
        ["ops", "yes"],
    ]
    [mail] = inbox.to("us@acme.example")
    assert mail.subject == "Acme: a test message"
    assert len(room.heard) == 2
    room.answers = [200, 503]
    done = dunning("team", "test", "--json", cwd=tmp_path, **env)
    assert done.returncode == 1
    last = json.loads(done.stdout)[-1]
    assert (last["channel"], last["taken"]) == ("ops", False)
    assert "503" in last["why"]
    assert "secret" not in done.stdout + done.stderr


def test_a_team_without_channels_is_told_so(tmp_path: Path) -> None:
    done = dunning("team", "test", cwd=tmp_path, **ALL)
    assert done.returncode == 1
    assert "nobody would be called" in " ".join(done.stderr.split())
