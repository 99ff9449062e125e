"""The banner and the wall in a merchant's page, under a strict Content-Security-Policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Route

from console.script import script
from tests.browser.conftest import Visit
from tests.browser.stories import hard, limited, paid, revoked
from tests.browser.town import ShopProcess, Town
from tests.browser.visitor import NARROWEST, PHONE, SIZES, Visitor
from tests.scenarios.story import Story

Picture = Callable[[Visitor, str], None]
CSP = "default-src 'none'; script-src 'self'; connect-src 'self'"
SAID: dict[str, Any] = {
    "customer": "cus_1",
    "level": "warned",
    "show": "banner",
    "lang": "en",
    "dir": "ltr",
    "text": "Your last payment failed.",
    "deadline": None,
    "deadline_text": None,
    "link": "https://pay.acme.example/p/abc",
    "labels": {"link": "Fix the payment", "close": "Close", "leave": "Sign out"},
}


@pytest.fixture(scope="session")
def customers(town: Town) -> dict[str, Story]:
    """Who works with the merchant's application."""
    return {story.__name__: town.known(story) for story in (hard, limited, revoked, paid)}


@pytest.fixture(scope="session")
def shop(town: Town, customers: dict[str, Story]) -> Iterator[ShopProcess]:
    """The merchant's application."""
    shop = ShopProcess(town.api, dict.fromkeys((each.customer.id for each in customers.values()), "Ada"))
    yield shop
    shop.stop()


@pytest.fixture
def enter(visit: Visit, shop: ShopProcess, customers: dict[str, Story]) -> Callable[..., Visitor]:
    """Let somebody of a story into the merchant's application."""

    def go(name: str, *arguments: Any, **options: Any) -> Visitor:
        visitor = visit(*arguments, origins=(shop.url,), **options)
        return visitor.open(f"{shop.url}/as/{customers[name].customer.id}")

    return go


@pytest.mark.parametrize("name", ["hard", "limited"])
def test_a_banner_is_read_and_closed(enter: Callable[..., Visitor], picture: Picture, name: str) -> None:
    """Said to screen readers, without a barrier, in 320 px; closed by Escape, and for the whole session."""
    visitor = enter(name, PHONE)
    words = visitor.page.get_by_role("status" if name == "hard" else "alert")
    words.get_by_text("payment failed").wait_for()
    picture(visitor, f"banner-{name}-phone")
    assert visitor.barriers() == []
    visitor.page.emulate_media(color_scheme="dark")
    assert visitor.barriers("color-contrast") == []
    visitor.resize(NARROWEST)
    assert not visitor.is_wider_than_the_screen()
    assert visitor.walk()[:2] == ["Fix the payment", "Close"]
    visitor.tab_to("Close")
    visitor.page.keyboard.press("Escape")
    words.wait_for(state="detached")
    visitor.page.reload()
    visitor.page.get_by_role("heading", name="Notes").wait_for()
    visitor.page.wait_for_timeout(200)
    assert words.count() == 0


def test_the_banner_leads_to_the_customers_page(
    enter: Callable[..., Visitor], customers: dict[str, Story], town: Town
) -> None:
    """By the link that was signed for it, and from there nothing tells where one came from."""
    visitor = enter("hard")
    visitor.button("Fix the payment").click()
    visitor.page.get_by_role("heading", name="Your card has expired").wait_for()
    assert visitor.page.url.startswith(f"{town.pages.base}/p/")
    assert visitor.page.evaluate("document.referrer") == ""


@pytest.mark.parametrize("size", SIZES)
def test_a_wall_holds_whoever_has_no_access(
    enter: Callable[..., Visitor], picture: Picture, size: str
) -> None:
    """The focus is in it and cannot leave, Escape does nothing, and what lies behind was never sent."""
    visitor = enter("revoked", SIZES[size])
    wall = visitor.page.get_by_role("dialog", name="Your access has ended")
    wall.wait_for()
    picture(visitor, f"wall-{size}")
    assert visitor.barriers() == []
    visitor.page.emulate_media(color_scheme="dark")
    assert visitor.barriers("color-contrast") == []
    focused = "document.querySelector('dunning-notice').shadowRoot.activeElement?.textContent"
    assert visitor.page.evaluate(focused) == "Fix the payment"
    for _ in range(3):
        visitor.page.keyboard.press("Escape")
    assert wall.is_visible()
    assert set(visitor.walk()) == {"Sign out"}
    assert visitor.page.locator("textarea").count() == 0
    visitor.resize(NARROWEST)
    assert not visitor.is_wider_than_the_screen()
    visitor.button("Sign out").last.click()
    visitor.page.get_by_role("heading", name="Who is working today?").wait_for()


def test_who_pays_is_shown_nothing_any_more(
    enter: Callable[..., Visitor], town: Town, visit: Visit, shop: ShopProcess
) -> None:
    """Neither a banner nor a trace of one."""
    assert enter("paid").page.locator("dunning-notice").count() == 0


@pytest.mark.parametrize("language", ["de", "es", "fr", "ja", "pt"])
def test_it_speaks_the_readers_language(enter: Callable[..., Visitor], language: str) -> None:
    """And says which one it is."""
    visitor = enter("limited", NARROWEST, locale=language)
    assert visitor.page.locator(f"dunning-notice:lang({language})").count() == 1
    assert not visitor.is_wider_than_the_screen()


def page_with(
    visit: Visit, said: dict[str, Any], *, attributes: str = "", served: bool = False, **options: Any
) -> Visitor:
    """A page of somebody else's making, with this answer in it, or behind an address of its own."""
    origin = "https://app.acme.example"
    visitor: Visitor = visit(origins=(origin,), **options)
    inline = (
        "" if served else f'<script type="application/json" id="dunning-banner">{json.dumps(said)}</script>'
    )
    html = (
        f"<!doctype html><html lang=en><title>App</title><body>{inline}"
        "<main><h1>App</h1><a href=/>Home</a></main>"
        f"<script src=/banner.js {attributes}></script></body></html>"
    )
    routes = {
        "/": (html, "text/html"),
        "/banner.js": (script().content, "text/javascript"),
        "/banner": (json.dumps(said), "application/json"),
    }

    def answer(route: Route) -> None:
        body, kind = routes[route.request.url.removeprefix(origin)]
        route.fulfill(body=body, content_type=kind, headers={"content-security-policy": CSP})

    visitor.page.route(f"{origin}/**", answer)
    return visitor.open(f"{origin}/")


def test_the_answer_may_have_an_address_of_its_own(visit: Visit) -> None:
    """For applications that are drawn in the browser: their own server passes it on."""
    visitor = page_with(visit, SAID, attributes="data-src=/banner", served=True)
    visitor.page.get_by_role("status").get_by_text("Your last payment failed.").wait_for()


def test_words_are_never_taken_for_html(visit: Visit) -> None:
    """Nor is an address run."""
    said = SAID | {
        "text": "<img src=x onerror=alert(1)><b>Hello</b>",
        "link": "javascript:alert(1)",
        "labels": SAID["labels"] | {"close": "<i>x</i>"},
    }
    visitor = page_with(visit, said)
    visitor.page.get_by_text("<b>Hello</b>").wait_for()
    assert visitor.button("<i>x</i>").count() == 1
    assert visitor.page.get_by_role("link", name="Fix the payment").count() == 0


def test_a_merchant_may_prefer_a_banner_to_a_wall(visit: Visit) -> None:
    """And without a link of ours it leads to their own page."""
    said = SAID | {"level": "revoked", "show": "wall", "link": None}
    visitor = page_with(visit, said, attributes="data-wall=off data-billing=/billing")
    assert visitor.page.get_by_role("alert").count() == 1
    link = visitor.page.get_by_role("link", name="Fix the payment")
    assert link.evaluate("(each) => each.href") == "https://app.acme.example/billing"


def test_it_reads_from_right_to_left_where_the_language_does(visit: Visit) -> None:
    """The words begin on the right, and what can be pressed stands on the left."""
    visitor = page_with(visit, SAID | {"lang": "ar", "dir": "rtl"})
    words, close = visitor.page.get_by_role("status"), visitor.button("Close")
    words.get_by_text("Your last payment").wait_for()
    right, left = words.bounding_box(), close.bounding_box()
    assert right
    assert left
    assert right["x"] > left["x"]


@pytest.mark.parametrize(("calm", "seconds"), [(True, "0s"), (False, "0.2s")])
def test_it_moves_only_for_who_likes_it(visit: Visit, calm: bool, seconds: str) -> None:
    """By the reader's own setting."""
    visitor = page_with(visit, SAID, calm=calm)
    box = visitor.page.locator(".banner")
    assert box.evaluate("(each) => getComputedStyle(each).animationDuration") == seconds


def test_closing_gives_the_focus_back(visit: Visit) -> None:
    """To what had it before one came to the banner."""
    visitor = page_with(visit, SAID)
    visitor.page.get_by_role("link", name="Home").focus()
    visitor.page.keyboard.press("Shift+Tab")
    visitor.page.keyboard.press("Enter")
    assert visitor.page.evaluate("document.activeElement.textContent") == "Home"
    assert visitor.page.locator("dunning-notice").count() == 0
