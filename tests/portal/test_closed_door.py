"""Links that open nothing: the page for all of them, and the fresh link that one may ask for there."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import httpx

from db import links
from dunning.steps import FRESH_LINK
from portal.links import Minted
from sandbox.stripe import Card
from tests.console.process import wait_until
from tests.portal.conftest import PAGES, LinkTo
from tests.portal.process import PortalProcess
from tests.portal.test_page import words
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

TOKEN = re.compile(r"https://pay\.merchant\.example/p/([\w-]{22}\.[\w-]{43})")


def revoke(world: World, minted: Minted) -> None:
    async def do() -> None:
        async with world.services.engine.begin() as connection:
            row = await links.find(connection, minted.digest)
            assert row
            await links.revoke(connection, row.customer_id, row.case, row.made_at)

    world.run(do())


def stale(world: World, link_to: LinkTo) -> tuple[Story, Minted]:
    """A link whose case was paid more than a week ago."""
    story = subscriber(world, "expired_card", email="old@customer.example").until(1)
    minted = link_to(story)
    story.pay(Card())
    story.until(9)
    return story, minted


def without_secrets(answer: httpx.Response, token: str) -> str:
    """A page without what is bound to its own link."""
    return re.sub(r'value="[0-9a-f]{64}[^"]*"', "", answer.text.replace(token, "TOKEN"))


def test_nobody_can_tell_one_closed_door_from_another(
    world: World, portal: PortalProcess, link_to: LinkTo
) -> None:
    """Unknown, made up, too old, revoked: one page, one status, and no quicker answer for any."""
    story = subscriber(world, "generic_decline").until(0)
    taken_back = link_to(story)
    revoke(world, taken_back)
    tokens = [PAGES.links.mint().token, "unknown", stale(world, link_to)[1].token, taken_back.token]
    pages, times = set(), []
    for token in tokens:
        began = time.monotonic()
        answer = portal.get(token)
        times.append(time.monotonic() - began)
        assert answer.status_code == 404
        pages.add(without_secrets(answer, token))
    assert len(pages) == 1
    assert "This link no longer works" in pages.pop()
    assert min(times) >= 0.1


def asked(world: World) -> list[str]:
    """The fresh links that were written, in order."""
    return [step for step, _ in world.effects() if step.startswith(FRESH_LINK)]


def test_a_fresh_link_goes_to_the_address_on_file(
    world: World, portal: PortalProcess, link_to: LinkTo
) -> None:
    """And opens the page of the case."""
    story = subscriber(world, "generic_decline").until(0)
    minted = link_to(story)
    revoke(world, minted)
    answer = portal.submit(minted.token, "fresh")
    assert answer.status_code == 200
    assert words(answer.text).startswith("Please look into your inbox")
    assert story.email not in answer.text
    wait_until(lambda: bool(asked(world)), "a mail is written")
    world.tick()
    assert asked(world) == [f"{FRESH_LINK}:{story.invoice.id}:1"]
    (token,) = set(TOKEN.findall(story.text()))
    assert portal.get(token).status_code == 200
    assert [row.kind for row in story.journal() if row.kind.startswith("link")] == ["link.asked"]


def test_the_answer_is_the_same_whoever_asks(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """Nothing is sent for a link that was never ours, nor where nothing is left to do."""
    story = subscriber(world, "generic_decline").until(0)
    minted = link_to(story)
    revoke(world, minted)
    _, paid = stale(world, link_to)
    mails = len(world.inbox.messages)
    tokens = ["unknown", PAGES.links.mint().token, paid.token, minted.token]
    answers = {without_secrets(portal.submit(token, "fresh"), token) for token in tokens}
    assert len(answers) == 1
    wait_until(lambda: bool(asked(world)), "the one mail is written")
    world.tick()
    assert len(asked(world)) == 1
    assert len(world.inbox.messages) == mails + 1


def test_three_a_day_are_enough(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """For a case; on the next day there are three more."""
    story = subscriber(world, "generic_decline").until(0)
    minted = link_to(story)
    revoke(world, minted)
    for _ in range(5):
        assert portal.submit(minted.token, "fresh").status_code == 200
    wait_until(lambda: len(portal.said("link.asked")) == 5, "all five are heard")
    assert [line["sent"] for line in portal.said("link.asked")] == [True, True, True, False, False]
    world.tick()
    story.until(1.1, stops=())
    portal.submit(minted.token, "fresh")
    wait_until(lambda: len(asked(world)) == 4, "a fourth is written")


def test_an_old_link_leads_to_what_is_open_now(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """Its own case was paid; the next renewal has failed since."""
    story = subscriber(world, "generic_decline", "generic_decline", "generic_decline").until(0)
    old = link_to(story)
    first = story.invoice
    story.pay(Card(outcomes=("ok", *["generic_decline"] * 9)))
    world.advance(story.present_clock, story.renewal + timedelta(days=30))
    assert story.invoice.id != first.id
    assert portal.get(old.token).status_code == 404
    portal.submit(old.token, "fresh")
    wait_until(lambda: bool(asked(world)), "a mail is written")
    assert asked(world) == [f"{FRESH_LINK}:{story.invoice.id}:1"]
