"""`dunning link`: links by hand, and taking them back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from db import models
from portal.links import Links
from sandbox.inbox import Inbox
from tests.console.process import ROOT
from tests.console.worlds import world_on
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

SECRET = "a-secret-of-the-tests-which-is-long-enough"
PORTAL = {"DUNNING_PORTAL_URL": "https://pay.merchant.example", "DUNNING_LINK_SECRETS": SECRET}


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    with world_on(database_url, inbox) as world:
        yield world


@pytest.fixture
def story(world: World) -> Story:
    return subscriber(world, *["generic_decline"] * 3).until(0)


def dunning(url: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {"DATABASE_URL": url, "PYTHONPATH": str(ROOT), "DUNNING_LIVEMODE": "false", **settings}
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_a_link_can_be_made_and_revoked(world: World, story: Story, database_url: str) -> None:
    """One for each open case. The story of the customer says who did it."""
    customer = story.customer.id
    made = dunning(database_url, "link", customer, "--by", "maria", **PORTAL)
    assert made.returncode == 0, made.stderr
    url = made.stdout.strip()
    assert url.startswith("https://pay.merchant.example/p/")
    (row,) = world.rows(models.links)
    assert Links([SECRET]).read(url.rpartition("/")[2]) == row.digest
    assert (row.case, row.made_by, row.revoked_at) == (story.invoice.id, "maria", None)
    revoked = dunning(database_url, "link", customer, "--revoke", "--by", "ada", "--json", **PORTAL)
    assert json.loads(revoked.stdout) == [{"case": story.invoice.id, "links": 1}]
    assert [row.revoked_at for row in world.rows(models.links)] == [story.now]
    told = [(row.kind, row.reason) for row in story.journal() if row.kind.startswith("link")]
    assert told == [("link.made", "maria asked for it"), ("link.revoked", "ada revoked 1")]


def test_what_cannot_be_linked_to_is_said(story: Story, database_url: str) -> None:
    """No page, no such case, nobody of that name: exit code 1 with a sentence."""
    customer = story.customer.id
    for arguments, settings, said in [
        ((customer,), {}, "There is no page to link to"),
        ((customer, "--case", "in_other"), PORTAL, "has no case for in_other"),
        (("cus_nobody",), PORTAL, "Nothing is known of cus_nobody"),
    ]:
        done = dunning(database_url, "link", *arguments, **settings)
        assert done.returncode == 1
        assert said in done.stderr
