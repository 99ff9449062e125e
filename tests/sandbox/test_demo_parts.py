"""The parts of the demo that can go wrong by themselves: its directory, its chat, its customers' links."""

import asyncio
from pathlib import Path

import httpx
import pytest

from sandbox.demo.chat import chat_room
from sandbox.demo.deeds import DeedError, perform
from sandbox.demo.directory import fresh_directory
from sandbox.demo.settled import Open
from sandbox.demo.stage import StageError, stage
from sandbox.demo.story import PaysByLink, Story
from sandbox.errors import DataInUseError
from tests.processes.subscribed import subscribed
from tests.sandbox.machine import until


def test_a_demo_begins_without_the_mails_of_the_one_before(tmp_path: Path) -> None:
    """Mails and logs are removed, and nothing else that lies there."""
    for name in ("mails/0001.eml", "logs/worker.log", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    with fresh_directory(tmp_path) as directory:
        assert {path.name for path in directory.iterdir()} == {"lock", "notes.txt"}


def test_two_demos_do_not_share_a_directory(tmp_path: Path) -> None:
    """The second one says so instead of removing the mails of the first; later it may."""
    with (
        fresh_directory(tmp_path),
        pytest.raises(DataInUseError, match="another demo"),
        fresh_directory(tmp_path),
    ):
        pass
    with fresh_directory(tmp_path):
        pass


def test_the_chat_keeps_what_is_posted() -> None:
    """It answers as a Slack-compatible webhook does."""
    with chat_room() as chat:
        answer = httpx.post(chat.url, json={"text": "please look at cus_1"}, trust_env=False)
    assert (answer.status_code, answer.text) == (200, "ok")
    assert chat.messages == ["please look at cus_1"]


def test_what_is_open_is_named() -> None:
    """Nothing is false, and something says what."""
    assert not Open(0, 0, 0, 0)
    assert Open(3, 0, 1, 0)
    assert str(Open(3, 0, 1, 0)) == "3 events, 1 messages"


def test_the_stage_notices_what_goes_wrong(tmp_path: Path) -> None:
    """A process that ends is reported with the end of its log; a customer without a mail has no link."""
    with stage(tmp_path / "stage", seed=1) as scene:
        (role,) = subscribed(scene, Story(title="", name="Pays", email="pays@customer.example"))
        with pytest.raises(DeedError, match="has none"):
            asyncio.run(perform(scene, role, PaysByLink(0)))
        log = tmp_path / "stage" / "logs" / "scheduler.log"
        until(lambda: "scheduler.started" in log.read_text(), 30, "the scheduler has started")
        scene.processes.named("scheduler").kill()
        with pytest.raises(
            StageError, match=r"scheduler ended with exit code 137\n.*scheduler\.log"
        ) as error:
            scene.check()
        assert "scheduler.started" in str(error.value)
