"""F19: mail scanners follow every link in a mail, and prefetch, and look twice; nothing comes of it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sandbox.inbox import Inbox
from tests.chaos.conftest import Tell
from tests.console.worlds import world_on
from tests.portal.conftest import PAGES, link_to
from tests.portal.test_attacks import state
from tests.portal.visits import visit
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

LOOKS = 100


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world whose rows stand in the test's database."""
    with world_on(database_url, inbox) as world:
        yield world


def test_scanners_that_follow_links_change_nothing(world: World, tell: Tell) -> None:
    """GET and HEAD of the link in a mail, of the way back from Stripe, of a banner and of each form."""
    story = subscriber(world, *["insufficient_funds"] * 9).until(1)
    minted = link_to.__wrapped__(world)(story)
    paths = [f"/p/{minted.token}", f"/p/{minted.token}?back=1", f"/p/{PAGES.links.banner(minted.digest)}"]
    before, asked, mails = state(world), len(world.stripe.requests), len(world.inbox.messages)

    async def scan(client: httpx.AsyncClient) -> set[tuple[int, bool]]:
        found = set()
        for number in range(LOOKS):
            path, headers = paths[number % len(paths)], {"purpose": "prefetch", "sec-purpose": "prefetch"}
            answer = await client.request("HEAD" if number % 2 else "GET", path, headers=headers)
            found.add((answer.status_code, "set-cookie" in answer.headers))
        for action in ("retry", "settle", "method", "confirm", "promise", "payer", "come_back", "fresh"):
            for method in ("GET", "HEAD"):
                answer = await client.request(method, f"/p/{minted.token}/{action}")
                found.add((answer.status_code, "set-cookie" in answer.headers))
        return found

    answers = visit(world, scan)
    world.settle()
    changed, calls = int(state(world) != before), len(world.stripe.requests) - asked
    sent = len(world.inbox.messages) - mails
    tell("F19", requests=LOOKS + 16, state_changes=changed, stripe_calls=calls, mails=sent)
    assert answers == {(200, False), (303, False)}
    assert (changed, calls, sent) == (0, 0, 0)
