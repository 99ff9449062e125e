"""A customer whose every word is hostile, from Stripe's event to all that is sent, shown and served."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from db import models
from sandbox.inbox import Inbox
from sandbox.stripe import Card, custom_schedule
from tests.cli.forking import dunning
from tests.console.team_api import team_api
from tests.console.worlds import world_on
from tests.injection.words import ATTACKS, is_harmless, is_one_way, is_plain
from tests.portal.conftest import link_to
from tests.portal.visits import look
from tests.scenarios.story import Story
from tests.scenarios.world import START, TEAM_ADDRESS, World

# Half a character cannot be sent: those of an event are in tests/providers.
EVERYTHING = " ".join(ATTACKS.values()).replace("\ud800", "")


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world whose rows stand in the test's database."""
    with world_on(database_url, inbox) as world:
        yield world


def hostile(world: World) -> Story:
    """Somebody who has chosen each word that a customer, or whoever names products, can choose."""
    engine = world.stripe.engine
    clock = engine.create_clock(START)
    customer = engine.create_customer(
        "ada@customer.example",
        clock=clock,
        card=Card(outcomes=("ok", *["generic_decline"] * 9), country="GB"),
        name=EVERYTHING,
        metadata={EVERYTHING[:40]: EVERYTHING[:500], "time_zone": EVERYTHING[:500]},
        preferred_locales=[EVERYTHING[:200], "de"],
    )
    price = engine.create_price(1900, "usd", interval="month", product_name=EVERYTHING)
    subscription = engine.create_subscription(customer, price, policy=custom_schedule(1, 2, 3))
    world.settle()
    return Story(world, clock, customer, subscription, "ada@customer.example").until(4)


def test_nothing_is_taken_for_more_than_words(world: World, database_url: str, tmp_path: Path) -> None:
    """Mails and messages, the page, the API, commands in both forms, events for the application."""
    story = hostile(world)
    mails = [*world.inbox.to(story.email), *world.inbox.to(TEAM_ADDRESS)]
    assert len(mails) > 2
    for mail in mails:
        assert is_plain(mail.subject), mail.subject
        assert is_plain(mail.text.replace("\r\n", "\n")), mail.text
        assert is_harmless(mail.html.replace("\r\n", "\n")), mail.html
    page = look(world, link_to.__wrapped__(world)(story).token)
    assert page.status_code == 200
    assert is_harmless(page.text), page.text
    with team_api(database_url) as api:
        told = api.act(story.invoice.id, "stop", reason="\u202ebecause\x9b31m", by="\u202eeve")
        assert told.status_code == 200, told.text
        case, customer = story.invoice.id, story.customer.id
        for path in (f"cases/{case}", "cases", f"access/{customer}", f"banner/{customer}"):
            served = api.get(f"/v1/{path}")
            assert served.status_code == 200, served.text
            assert served.headers["content-type"] == "application/json"
    settings = {"DATABASE_URL": database_url, "DUNNING_LIVEMODE": "false"}
    for arguments in (("explain", customer), ("case", "show", case), ("case", "list")):
        for form in ((), ("--json",)):
            printed = dunning(*arguments, *form, cwd=tmp_path, **settings)
            assert printed.returncode == 0, printed.stderr
            assert is_one_way(printed.stdout), printed.stdout
            assert not form or json.loads(printed.stdout)
    told_outside = repr(world.rows(models.outgoing))
    assert "evil" not in told_outside
    assert not [row for row in world.rows(models.inbox) if row.status != "done"]
