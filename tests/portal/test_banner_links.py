"""A banner's link: a second name of a mail's, which opens the same page for as long."""

from __future__ import annotations

from db import links
from db.lookups import find_customers
from sandbox.stripe import Card
from tests.portal.conftest import PAGES, LinkTo
from tests.portal.process import PortalProcess
from tests.portal.test_page import words
from tests.scenarios.story import subscriber
from tests.scenarios.world import World


def test_it_opens_the_page_of_its_one_case(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """Its forms are bound to it, and what was chosen by it is chosen for the mail's link too."""
    minted = link_to(subscriber(world, *["generic_decline"] * 9).until(0))
    banner = PAGES.links.banner(minted.digest)
    assert words(portal.get(banner).text) == words(portal.get(minted.token).text)
    assert portal.submit(banner, "language", language="fr").status_code == 303
    portal.client.cookies.clear()
    assert '<html lang="fr' in portal.get(minted.token).text


def test_it_is_revoked_with_the_link_it_names(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """And it ends a week after the case, as that one does."""
    story = subscriber(world, *["generic_decline"] * 9).until(0)
    first, second = link_to(story), link_to(story)

    async def revoke() -> None:
        async with world.services.engine.begin() as connection:
            [found] = await find_customers(connection, story.customer.id)
            await links.revoke(connection, found.id, story.invoice.id, story.now)

    world.run(revoke())
    third = link_to(story)
    opened = [portal.get(PAGES.links.banner(each.digest)).status_code for each in (first, second, third)]
    assert opened == [404, 404, 200]
    story.pay(Card())
    story.until(6)
    assert portal.get(PAGES.links.banner(third.digest)).status_code == 200
    story.until(8)
    assert portal.get(PAGES.links.banner(third.digest)).status_code == 404


def test_no_token_of_a_banner_stands_in_a_log(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """The line is that of the link it names."""
    minted = link_to(subscriber(world, "generic_decline").until(0))
    banner = PAGES.links.banner(minted.digest)
    portal.get(banner)
    assert portal.stop() == 0
    assert portal.said("page.asked")[0]["link"] == minted.digest.hex()[:6]
    everything = "".join(portal.lines)
    assert banner not in everything
    assert banner.partition(".")[0] not in everything
