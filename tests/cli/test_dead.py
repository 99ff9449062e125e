"""`dunning dead`: events that were given up are seen, tried again, or put away."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest

from sandbox.inbox import Inbox
from settings.urls import for_asyncpg
from tests.cli.forking import dunning
from tests.console.worlds import world_on
from tests.scenarios.story import subscriber
from worker.queues import EVENTS

Ask = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ask(database_url: str, tmp_path: Path) -> Ask:
    """Run `dunning dead` on the test's database."""
    return lambda *arguments: dunning("dead", *arguments, cwd=tmp_path, DATABASE_URL=database_url)


def execute(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(for_asyncpg(url))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


POISON = """
    INSERT INTO inbox (source, event_id, type, livemode, status, attempts, last_error, payload)
    VALUES ('stripe', 'evt_bad', 'invoice.paid', false, 'dead', 5, 'ValueError: no JSON', '{not json'),
           ('stripe', 'evt_odd', 'invoice.paid', false, 'dead', 5, NULL, '{"id": "evt_odd"}'),
           ('stripe', 'evt_fine', 'invoice.paid', false, 'done', 1, NULL, '{"id": "evt_fine"}')
"""


def test_what_was_given_up_is_shown_with_its_reason(ask: Ask, database_url: str) -> None:
    """Exit code 1 while there is any; its body as it came, be it JSON or not."""
    empty = ask("list")
    assert (empty.returncode, empty.stdout.strip()) == (0, "No event was given up.")
    execute(database_url, POISON)
    listed = ask("list")
    assert listed.returncode == 1
    assert "ValueError: no JSON" in listed.stdout
    assert [each["event_id"] for each in json.loads(ask("list", "--json").stdout)] == ["evt_odd", "evt_bad"]
    assert ask("show", "evt_bad").stdout.strip() == "{not json"
    assert json.loads(ask("show", "evt_odd").stdout) == {"id": "evt_odd"}
    assert ask("show", "evt_fine").returncode == 1


def test_what_is_put_away_is_kept_and_not_counted(ask: Ask, database_url: str) -> None:
    """Who wanted it so stands with it; what was applied is not touched."""
    execute(database_url, POISON)
    done = ask("discard", "evt_bad", "evt_fine", "--why", "made by hand", "--by", "maria", "--json")
    assert json.loads(done.stdout) == {"discarded": 1}
    assert [each["event_id"] for each in json.loads(ask("list", "--json").stdout)] == ["evt_odd"]
    again = ask("retry", "evt_bad")
    assert (again.returncode, "None of them was given up." in again.stderr) == (1, True)


def test_what_is_tried_again_is_applied(ask: Ask, database_url: str, inbox: Inbox) -> None:
    """The failure of a charge was given up by mistake: tried again, the customer is told of it."""
    with world_on(database_url, inbox) as world:
        story = subscriber(world, *["expired_card"] * 4)
        world.held.add(EVENTS)
        story.until(0.1)
        execute(database_url, "UPDATE inbox SET status = 'dead', attempts = 5 WHERE status = 'pending'")
        world.tick()
        assert story.mails() == []
        assert ask("retry", "--all").returncode == 0
        world.tick()
        assert ask("list").returncode == 0
        assert [mail for _, mail in story.mails()] == ["payment_failed 1"]


def test_which_ones_must_be_said(ask: Ask) -> None:
    """Neither none nor both."""
    assert "Name events, or say --all." in ask("retry").stderr
    assert ask("retry", "evt_1", "--all").returncode == 1
