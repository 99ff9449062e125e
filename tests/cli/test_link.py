"""`dunning link`: links by hand, and taking them back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db import models
from portal.links import Links
from sandbox.inbox import Inbox
from tests.cli.forking import dunning
from tests.console.worlds import world_on
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

SECRET = "a-secret-of-the-tests-which-is-long-enough"
Link = Callable[..., "subprocess.CompletedProcess[str]"]
PORTAL = {"DUNNING_PORTAL_URL": "https://pay.merchant.example", "DUNNING_LINK_SECRETS": SECRET}


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    with world_on(database_url, inbox) as world:
        yield world


@pytest.fixture
def story(world: World) -> Story:
    return subscriber(world, *["generic_decline"] * 3).until(0)


@pytest.fixture
def link(database_url: str, tmp_path: Path) -> Link:
    """`dunning link` on the test's database."""
    env = {"DATABASE_URL": database_url, "DUNNING_LIVEMODE": "false"}
    return lambda *arguments, **settings: dunning("link", *arguments, cwd=tmp_path, **env, **settings)


def test_a_link_can_be_made_and_revoked(world: World, story: Story, link: Link) -> None:
    """One for each open case. The story of the customer says who did it."""
    customer = story.customer.id
    made = link(customer, "--by", "maria", **PORTAL)
    assert made.returncode == 0, made.stderr
    url = made.stdout.strip()
    assert url.startswith("https://pay.merchant.example/p/")
    (row,) = world.rows(models.links)
    assert Links([SECRET]).read(url.rpartition("/")[2]) == row.digest
    assert (row.case, row.made_by, row.revoked_at) == (story.invoice.id, "maria", None)
    revoked = link(customer, "--revoke", "--by", "ada", "--json", **PORTAL)
    assert json.loads(revoked.stdout) == [{"case": story.invoice.id, "links": 1}]
    assert [row.revoked_at for row in world.rows(models.links)] == [story.now]
    told = [(row.kind, row.reason) for row in story.journal() if row.kind.startswith("link")]
    assert told == [("link.made", "maria asked for it"), ("link.revoked", "ada revoked 1")]


def test_what_cannot_be_linked_to_is_said(story: Story, link: Link) -> None:
    """No page, no such case, nobody of that name: exit code 1 with a sentence."""
    customer = story.customer.id
    for arguments, settings, said in [
        ((customer,), {}, "There is no page to link to"),
        ((customer, "--case", "in_other"), PORTAL, "has no case for in_other"),
        (("cus_nobody",), PORTAL, "Nothing is known of cus_nobody"),
    ]:
        done = link(*arguments, **settings)
        assert done.returncode == 1
        assert said in done.stderr
