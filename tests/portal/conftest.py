"""A running portal beside a world of the scenarios, and links into it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from db import links
from db.links import LinkRow
from db.lookups import find_customers
from portal.links import Links, Minted, Pages
from sandbox.inbox import Inbox
from tests.console.worlds import world_on
from tests.portal.process import SECRET, PortalProcess
from tests.roles import as_role
from tests.scenarios.story import Story
from tests.scenarios.world import SENDER, World

PAGES = Pages("https://pay.merchant.example", Links([SECRET]))

StartPortal = Callable[..., PortalProcess]
LinkTo = Callable[[Story], Minted]


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world whose mails lead to pages of our own."""
    with world_on(database_url, inbox) as world:
        world.courier = replace(world.courier, sender=replace(SENDER, pages=PAGES))
        yield world


@pytest.fixture
def start_portal(database_url: str, redis_url: str) -> Iterator[StartPortal]:
    """Start the portal on the test's database, with settings; it is stopped with the test."""
    started: list[PortalProcess] = []

    def start(**settings: str) -> PortalProcess:
        started.append(PortalProcess(as_role(database_url, "portal"), redis_url, **settings))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def portal(start_portal: StartPortal) -> PortalProcess:
    """A running portal."""
    return start_portal()


@pytest.fixture
def link_to(world: World) -> LinkTo:
    """Make a link to the newest case of a story."""

    def make(story: Story) -> Minted:
        minted = PAGES.links.mint()

        async def add() -> None:
            async with world.services.engine.begin() as connection:
                [found] = await find_customers(connection, story.customer.id)
                row = LinkRow(
                    minted.digest, found.id, story.invoice.id, story.now, "a test", plan="Team plan"
                )
                await links.add(connection, row)

        world.run(add())
        return minted

    return make
