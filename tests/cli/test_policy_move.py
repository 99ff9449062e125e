"""`dunning policy move`: running cases get the policy in force, on purpose."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from db import models
from sandbox.inbox import Inbox
from sandbox.stripe import custom_schedule
from tests.cli.forking import dunning
from tests.console.worlds import world_on
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

WHY = ("--why", "more time for everybody", "--by", "maria")
LATER = custom_schedule(40)

Move = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world whose rows stand in the test's database."""
    with world_on(database_url, inbox) as world:
        yield world


@pytest.fixture
def move(database_url: str, tmp_path: Path) -> Move:
    """Run `dunning policy move` under a policy file of so many days of grace."""

    def run(*arguments: str, grace: str = "30d") -> subprocess.CompletedProcess[str]:
        text = f'grace = "{grace}"\n\n[[segment]]\nname = "yen"\nwhen = {{ currency = "jpy" }}\n'
        (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
        env = {
            "DATABASE_URL": database_url,
            "DUNNING_LIVEMODE": "false",
            "DUNNING_POLICY_FILE": "policy.toml",
        }
        return dunning("policy", "move", *arguments, *WHY, cwd=tmp_path, **env)

    return run


def debtor(world: World, day: float = 1, **options: Any) -> Story:
    return subscriber(world, "do_not_honor", retries=LATER, **options).until(day)


def graces(world: World) -> list[int]:
    """The grace of each case, in days, in the order of the customers."""
    rows = sorted(world.rows(models.cases), key=lambda row: row.customer_id)
    return [row.grace.days for row in rows]


def test_a_customers_case_is_moved(world: World, move: Move) -> None:
    """Grace and policy are the new ones, and who wanted it is written down; tried first without effect."""
    story = debtor(world)
    tried = move(story.customer.id, "--dry-run", "--json")
    assert tried.returncode == 0, tried.stderr
    assert graces(world) == [14]
    done = move(story.customer.id, "--json")
    assert json.loads(done.stdout)["moves"] == json.loads(tried.stdout)["moves"]
    [moved] = json.loads(done.stdout)["moves"]
    assert (moved["ended_at"][:10], moved["ends_at"][:10]) == ("2026-02-16", "2026-03-04")
    [case] = world.rows(models.cases)
    assert (case.grace.days, case.policy["key"]) == (30, moved["after"])
    [entry] = [row for row in story.journal() if row.kind == "policy.moved"]
    assert (entry.reason, entry.data["by"]) == ("more time for everybody", "maria")
    assert "nothing to move" in move(story.customer.id).stdout


def test_an_accepted_warning_keeps_its_word(world: World, move: Move) -> None:
    """A policy with less patience does not end access sooner than the customer was told."""
    story = debtor(world, 12)
    [moved] = json.loads(move(story.email, "--json", grace="3d").stdout)["moves"]
    assert moved["ends_at"] == moved["ended_at"]
    story.until(15)
    [revoked] = [day for day, level, _ in story.access() if level == "revoked"]
    assert revoked == 14


def test_everybody_is_moved_in_batches_and_once(world: World, move: Move) -> None:
    """Or one segment alone; what an earlier run has moved is left as it is."""
    debtor(world, email="one@customer.example")
    debtor(world, email="two@customer.example", currency="jpy")
    assert move("--all", "--segment", "yen").returncode == 0
    assert graces(world) == [14, 30]
    done = move("--all")
    assert "1 from " in done.stdout
    assert graces(world) == [30, 30]
    assert "nothing to move" in move("--all").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "name one customer, or say --all"),
        (("cus_1", "--all"), 2, "name one customer, or say --all"),
        (("cus_1",), 1, "Nothing is known of cus_1"),
        (("--all", "--segment", "annual"), 1, "There are: yen, base."),
    ],
)
def test_what_cannot_be_meant_is_refused(
    move: Move, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """With a sentence."""
    done = move(*arguments)
    assert done.returncode == code
    assert words in done.stderr
