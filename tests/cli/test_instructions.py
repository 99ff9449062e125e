"""What people say, through the real command, to its effect in the plan, the tables and the mails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from db import models
from sandbox.inbox import Inbox
from sandbox.stripe import custom_schedule
from tests.cli.test_lookups import Ask
from tests.cli.test_main import dunning
from tests.console.views import view_of
from tests.console.worlds import world_on
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

WHY = ("--why", "they asked for it", "--by", "maria")
# Stripe tries again only when everything of ours is over.
LATER = custom_schedule(40)
STOPS = tuple(range(41))


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world whose rows stand in the test's database."""
    with world_on(database_url, inbox) as world:
        yield world


@pytest.fixture
def ask(database_url: str, tmp_path: Path) -> Ask:
    """Run `dunning` on the test's database, its output going into a pipe."""
    return lambda *arguments: dunning(
        *arguments, cwd=tmp_path, DATABASE_URL=database_url, DUNNING_LIVEMODE="false"
    )


def debtor(world: World, day: float, outcome: str = "do_not_honor", **options: Any) -> Story:
    """A customer whose renewal has failed, seen on a day after that."""
    return subscriber(world, outcome, retries=LATER, **options).until(day, stops=STOPS)


def say(ask: Ask, verb: str, story: Story, *options: str) -> dict[str, Any]:
    """Give an instruction for a story's case; what the command says came of it."""
    done = ask("case", verb, story.invoice.id, *WHY, *options, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def told(world: World) -> list[str]:
    """The verbs of all instructions that were written down."""
    return [row.verb for row in world.rows(models.instructions)]


def day_of(story: Story, days: float) -> str:
    return str((story.now + timedelta(days=days)).date())


def ends(story: Story) -> date | None:
    """The day on which access ends by itself, by the row the access API reads."""
    row = story._one(models.access, models.access.c.customer_id)
    return row.until.date() if row.until else None


def test_a_stop_ends_everything_until_it_is_resumed(world: World, ask: Ask) -> None:
    """No mail, no warning, no end of access for weeks; resumed, the customer is warned anew first."""
    story = debtor(world, 1)
    mails = len(story.inbox)
    effect = say(ask, "stop", story)
    assert (effect["coming"], effect["access_until"]) == ([], None)
    assert {item["reason"] for item in effect["withheld"]} >= {"maria stopped it: they asked for it"}
    assert ends(story) is None
    story.until(30, stops=STOPS)
    assert (len(story.inbox), story.level()[0]) == (mails, "warned")
    effect = say(ask, "resume", story)
    assert any(step["step"].startswith("final_warning") for step in effect["coming"])
    story.until(40, stops=[30 + half / 2 for half in range(20)])
    assert story.mails()[-1][1] == "access_ended"
    assert [name for _, name in story.mails()].count("final_warning 72h") == 1
    assert story.level()[0] == "revoked"


def test_class_37_a_stop_survives_the_next_failure(world: World, ask: Ask) -> None:
    """Stripe's next attempts and even the next invoice change nothing about it."""
    story = subscriber(world, *["do_not_honor"] * 9, retries=custom_schedule(3, 5)).until(1)
    mails = len(story.inbox)
    say(ask, "stop", story)
    story.until(10, stops=STOPS)
    assert len(story.charges) == 4
    assert len(story.inbox) == mails
    assert view_of(story).planned.steps == ()
