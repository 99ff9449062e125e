"""`dunning customer resume-source`: a connected account is back, and its customers are dunned again."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db import models
from dunning.instructions import Verb
from dunning.requests import Request
from sandbox.inbox import Inbox
from sandbox.stripe import custom_schedule
from tests.cli.forking import dunning
from tests.console.worlds import settings_of, world_on
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from worker.usecases.close_source import BY, WHY

Ask = Callable[..., subprocess.CompletedProcess[str]]
LATER = custom_schedule(40)


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    with world_on(database_url, inbox) as made:
        yield made


@pytest.fixture
def ask(world: World, database_url: str, tmp_path: Path) -> Ask:
    env = settings_of(world, database_url)
    return lambda *arguments: dunning(*arguments, cwd=tmp_path, **env)


def resume(ask: Ask, *options: str) -> subprocess.CompletedProcess[str]:
    return ask("customer", "resume-source", "stripe", "--why", "connected again", "--by", "maria", *options)


def disconnected(world: World, days: int = 1) -> Story:
    """A debtor who was excluded as `close_source` does it."""
    story = subscriber(world, "do_not_honor", retries=LATER).until(days)
    world.tell(story.customer, Request(Verb.EXCLUDE, BY, WHY))
    return story


def verbs(world: World) -> list[tuple[str, str]]:
    return [(row.verb, row.by) for row in sorted(world.rows(models.instructions), key=lambda row: row.id)]


def test_nobody_is_resumed_before_what_was_paid_is_known(world: World, ask: Ask) -> None:
    """Exit code 1 with the cure; nothing is written."""
    disconnected(world)
    done = resume(ask)
    assert done.returncode == 1
    said = " ".join(done.stderr.replace("\u2502", " ").split())
    assert "nobody knows who has paid" in said
    assert "dunning reconcile --source stripe" in said
    assert verbs(world) == [("exclude", BY)]


def test_everybody_who_was_left_alone_is_resumed_once(world: World, ask: Ask) -> None:
    """Tried first without effect; said again it finds nobody."""
    story, _ = disconnected(world), disconnected(world)
    assert ask("reconcile", "--since", "2026-01-01").returncode in (0, 3)
    assert json.loads(resume(ask, "--dry-run", "--json").stdout) == {
        "dry_run": True,
        "resumed": 2,
        "left": [],
    }
    assert len(verbs(world)) == 2
    assert "2 customers of stripe resumed." in resume(ask).stdout
    assert verbs(world)[2:] == [("resume", "maria")] * 2
    assert "Nobody of stripe is excluded" in resume(ask).stdout
    assert story.until(20).level()[0] == "revoked"


def test_whoever_was_spoken_about_otherwise_is_left_to_a_person(world: World, ask: Ask) -> None:
    """A case that was handed over stays with whom it was given to; the customer is named."""
    disconnected(world)
    held = subscriber(world, "do_not_honor", retries=LATER).until(1)
    theirs = held.invoice.id
    world.tell(held.customer, Request(Verb.HAND_OVER, "maria", "a friend of hers", case=theirs, to="maria"))
    world.tell(held.customer, Request(Verb.EXCLUDE, BY, WHY))
    assert ask("reconcile", "--since", "2026-01-01").returncode in (0, 3)
    said = json.loads(resume(ask, "--json").stdout)
    assert (said["resumed"], said["left"]) == (1, [held.customer.id])
    shown = resume(ask).stdout
    assert f"1 left, since something else holds: {held.customer.id}." in shown
    assert "dunning customer resume CUSTOMER" in shown
