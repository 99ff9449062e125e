"""`dunning clock`: a month of another billing system, rehearsed in minutes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from db import models
from sandbox.inbox import Inbox
from tests.cli.forking import dunning
from tests.console.worlds import world_on
from tests.scenarios.telling import SECRET, Door, Told, told_of
from tests.scenarios.world import World

ADA = {"customerId": "cus_1", "email": "ada@customer.example", "name": "Ada", "locale": "en"}


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    with world_on(database_url, inbox) as world:
        world.services = replace(world.services, on_test_clocks=frozenset({"acme"}))
        yield world


@pytest.fixture
def story(world: World, redis_url: str) -> Iterator[Told]:
    door = Door(world, redis_url, f"acme standard {SECRET}")
    yield told_of(world, door)
    door.close()


def clock(database_url: str, folder: Path, *arguments: str, **settings: str) -> Any:
    """What the command says; where it fails, its words."""
    env = {"DATABASE_URL": database_url, "DUNNING_LIVEMODE": "false", "DUNNING_TEST_CLOCKS": "acme"}
    done = dunning("clock", *arguments, "--json", cwd=folder, **(env | settings))
    return json.loads(done.stdout) if done.returncode == 0 else (done.returncode, done.stderr)


def test_a_customer_lives_by_the_clock_and_not_by_the_real_time(
    world: World, story: Told, database_url: str, tmp_path: Path
) -> None:
    """Weeks of real time end no grace; the clock does, at the moment it is moved."""
    begin = story.renewal
    assert clock(database_url, tmp_path, "acme")["at"] is None
    assert clock(database_url, tmp_path, "acme", begin.isoformat())["due"] == 0
    story.tell("customer.updated", **ADA, subscriptionIds=["sub_1"])
    story.failed(1)
    world.advance(None, begin + timedelta(days=30))
    assert story.level() == ("warned", "payment_failed")
    assert [row.test_clock for row in world.rows(models.customers)] == ["rehearsal"]

    for days in (1, 11):
        moved = clock(database_url, tmp_path, "acme", (begin + timedelta(days=days)).isoformat())
        assert moved["due"] == 1
        world.machine_time(timedelta(minutes=1))
    assert story.mails() == [(1, "payment_failed 1"), (11, "final_warning 72h")]


def test_whoever_is_first_heard_of_by_a_payment_is_on_the_clock_as_well(
    world: World, story: Told, database_url: str, tmp_path: Path
) -> None:
    """Who they are is told later, and takes the place of what was not known."""
    clock(database_url, tmp_path, "acme", story.renewal.isoformat())
    story.tell("subscription.payment_succeeded", subscriptionId="sub_1", customerId="cus_1")
    story.tell("customer.updated", **ADA)
    [known] = world.rows(models.customers)
    assert (known.test_clock, known.email, world.unfinished()) == ("rehearsal", ADA["email"], 0)


def test_it_never_goes_back_and_is_only_where_it_was_asked_for(database_url: str, tmp_path: Path) -> None:
    """Each with a sentence and exit code 1; in live mode the setting itself is refused."""
    clock(database_url, tmp_path, "acme", "2026-03-02T09:00Z")
    code, words = clock(database_url, tmp_path, "acme", "2026-03-01T09:00Z")
    assert (code, "never goes back" in words) == (1, True)
    assert clock(database_url, tmp_path, "acme")["at"].startswith("2026-03-02T09:00")
    for arguments, said in (
        (("commet",), "real time"),
        (("acme", "tomorrow"), "no time with an offset"),
        (("acme", "2026-03-01T09:00"), "no time with an offset"),
    ):
        code, words = clock(database_url, tmp_path, *arguments)
        assert (code, said in words) == (1, True)
    code, words = clock(database_url, tmp_path, "acme", DUNNING_LIVEMODE="true")
    assert (code, "DUNNING_TEST_CLOCKS" in words, "test mode" in words) == (2, True, True)
