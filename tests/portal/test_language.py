"""In which language the page speaks."""

from __future__ import annotations

from tests.portal.conftest import LinkTo, StartPortal
from tests.portal.process import PortalProcess
from tests.portal.test_page import words
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

GERMAN = "Ihre Karte ist abgelaufen"


def test_it_speaks_the_customers_language(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """As Stripe has it, before that of a browser; the dates and amounts are the region's."""
    story = subscriber(world, "expired_card", preferred_locales=("de-AT",)).until(0)
    answer = portal.get(link_to(story).token, accept_language="fr")
    assert '<html lang="de-AT"' in answer.text
    assert words(answer.text).startswith(GERMAN)


def test_without_one_it_speaks_the_browsers(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """And a page that knows nobody speaks the browser's too."""
    story = subscriber(world, "expired_card").until(0)
    assert words(portal.get(link_to(story).token, accept_language="de").text).startswith(GERMAN)
    assert "Dieser Link funktioniert nicht mehr" in portal.get("unknown", accept_language="de;q=0.9").text


def test_a_choice_is_remembered(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """In the browser for all pages, and with the link for readers without cookies."""
    token = link_to(subscriber(world, "expired_card").until(0)).token
    answer = portal.submit(token, "language", language="de")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/p/{token}")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-language=de;")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    portal.client.cookies.clear()
    assert words(portal.get(token).text).startswith(GERMAN)
    kept = portal.get("unknown", cookie="__Host-language=ja").text
    assert "このリンクはご利用いただけなくなりました" in kept


def test_a_language_there_is_not_changes_nothing(
    world: World, portal: PortalProcess, link_to: LinkTo
) -> None:
    """Neither by the form nor by a cookie."""
    token = link_to(subscriber(world, "expired_card").until(0)).token
    answer = portal.submit(token, "language", language="tlh")
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers
    assert words(portal.get(token, cookie='__Host-language="><script>').text).startswith(
        "Your card has expired"
    )


def test_over_plain_http_the_cookie_is_plain(start_portal: StartPortal) -> None:
    """For tests and sandboxes: browsers keep no secure cookie there."""
    portal = start_portal(DUNNING_PORTAL_URL="http://127.0.0.1:8082")
    cookie = portal.submit("unknown", "language", language="de").headers["set-cookie"]
    assert cookie.startswith("language=de;")
    assert "Secure" not in cookie
