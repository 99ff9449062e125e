"""Every page there is, on a phone and on a desk, in light and in dark, in six languages, read by axe."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.render import PAGES, tongues
from tests.browser.conftest import Visit
from tests.browser.stories import STORIES
from tests.browser.town import Town
from tests.browser.visitor import DESKTOP, NARROWEST, PHONE, Visitor
from tests.scenarios.story import subscriber

Picture = Callable[[Visitor, str], None]
OTHERS = [language for language in PAGES.languages() if language != "en"]


@pytest.fixture(scope="session")
def addresses(town: Town) -> dict[str, str]:
    """The address of each story's page."""
    return {name: town.link(town.known(story)) for name, (story, _) in STORIES.items()}


@pytest.mark.parametrize("name", STORIES)
def test_a_page_is_fit_for_everybody(
    visit: Visit, addresses: dict[str, str], picture: Picture, name: str
) -> None:
    """No barrier that axe knows, nothing wider than 320 px, and Tab comes to all that can be pressed."""
    visitor = visit(PHONE).open(addresses[name])
    assert visitor.heading == STORIES[name][1]
    picture(visitor, f"{name}-phone")
    assert visitor.barriers() == []
    visitor.page.emulate_media(color_scheme="dark")
    assert visitor.barriers("color-contrast") == []
    visitor.resize(NARROWEST)
    assert not visitor.is_wider_than_the_screen()
    visitor.resize(DESKTOP)
    assert not visitor.is_wider_than_the_screen()
    visitor.page.emulate_media(color_scheme="light")
    picture(visitor, f"{name}-desktop")
    assert visitor.walk() == visitor.can_be_pressed()


@pytest.mark.parametrize("language", OTHERS)
def test_a_page_is_fit_in_every_language(visit: Visit, addresses: dict[str, str], language: str) -> None:
    """Longer words break where they must, and each page says which language it is in."""
    visitor = visit(NARROWEST, locale=language)
    for address in addresses.values():
        visitor.open(address)
        assert visitor.page.locator("html").get_attribute("lang") == language
        assert not visitor.is_wider_than_the_screen()
    assert visitor.barriers() == []


def test_a_language_is_chosen_and_kept(visit: Visit, addresses: dict[str, str]) -> None:
    """By a button at the foot of the page, without JavaScript; the next page speaks it too."""
    visitor = visit(PHONE, javascript=False).open(addresses["soft"])
    for each in tongues():
        visitor.button(each.name).click()
        visitor.page.locator(f"html:lang({each.tag})").wait_for()
        assert visitor.button(each.name).get_attribute("aria-current") == "true"
    visitor.open(addresses["paid"])
    assert visitor.page.locator(f"html:lang({tongues()[-1].tag})").count() == 1


def test_a_language_is_chosen_by_keyboard(visit: Visit, addresses: dict[str, str]) -> None:
    """Tab and Enter."""
    visitor = visit().open(addresses["hard"])
    visitor.tab_to("Deutsch")
    visitor.page.keyboard.press("Enter")
    visitor.page.locator("html:lang(de)").wait_for()


@pytest.mark.parametrize("javascript", [True, False])
def test_an_old_link_brings_a_fresh_one(visit: Visit, town: Town, picture: Picture, javascript: bool) -> None:
    """The page tells nothing of anybody; the mail that follows leads to what is open now."""
    email = f"old-{javascript}@customer.example"
    story = town.tell(lambda world: subscriber(world, *["expired_card"] * 9, email=email).until(1))
    old = town.link(story)
    town.revoke(story)
    mails = len(town.tell(lambda _: story.inbox))
    visitor = visit(PHONE, javascript=javascript).open(old, 404)
    assert visitor.heading == "This link no longer works"
    picture(visitor, "link-phone")
    if javascript:
        assert visitor.barriers() == []
        visitor.resize(DESKTOP)
        picture(visitor, "link-desktop")
        visitor.tab_to("Send me a new link")
    visitor.button("Send me a new link").press("Enter")
    visitor.page.get_by_role("heading", name="Please look into your inbox").wait_for()
    if javascript:
        assert visitor.barriers() == []
    assert visitor.open(town.mailed(email, after=mails)).heading == "Your card has expired"
