"""The page of a link, over real HTTP: what it shows, in which language, and what it never does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text

from db import models
from sandbox.stripe import Card
from tests.portal.conftest import LinkTo, StartPortal
from tests.portal.process import PortalProcess
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; "
    "img-src 'self' https://northwind.example; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def words(html: str) -> str:
    """What is read on a page, with plain spaces."""
    body = html.partition("<main>")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("\N{NO-BREAK SPACE}", " ").split())


def test_it_shows_what_is_open_and_what_comes(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """The amount, the plan, the reason in the words of the mails, the card, and the days of what follows."""
    retries = ["insufficient_funds"] * 9
    story = subscriber(world, *retries, amount=4900, currency="eur").until(1)
    answer = portal.get(link_to(story).token)
    assert answer.status_code == 200
    said = words(answer.text)
    assert said.startswith(
        "Your payment did not go through Your bank told us that there was not enough money"
    )
    for part in (
        "€49.00",
        "Team plan",
        "Visa •••• 4242",
        "February 5, 2026 We try to collect the payment again.",
    ):
        assert part in said
    assert "Your access ends if the payment has not arrived by then." in said
    assert "https://northwind.example/billing" in answer.text
    assert "<script" not in answer.text
    assert "style=" not in answer.text


@pytest.mark.parametrize(
    ("currency", "amount", "shown"), [("jpy", 5000, "¥5,000"), ("bhd", 12340, "BHD 12.340")]
)
def test_amounts_follow_stripes_exponents(
    world: World, portal: PortalProcess, link_to: LinkTo, currency: str, amount: int, shown: str
) -> None:
    """Yen are not divided by a hundred, and dinars have three decimals."""
    story = subscriber(world, "generic_decline", currency=currency, amount=amount).until(0)
    assert shown in words(portal.get(link_to(story).token).text)


def test_a_stolen_card_is_not_mentioned(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """Neutral words, and no code of the provider's anywhere in the page."""
    story = subscriber(world, "stolen_card").until(0)
    answer = portal.get(link_to(story).token)
    assert "The payment was declined. Please use another payment method." in words(answer.text)
    assert not re.search("stolen|lost|fraud", answer.text)


def test_it_thanks_for_a_payment(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """For a week; there is nothing to press any more."""
    story = subscriber(world, "expired_card").until(1)
    token = link_to(story).token
    story.pay(Card())
    said = words(portal.get(token).text)
    assert said.startswith("Thank you, your payment has arrived There is nothing left to do.")
    assert "$19.00" in said
    assert "What happens next" not in said


def test_it_welcomes_back_who_lost_the_subscription(
    world: World, portal: PortalProcess, link_to: LinkTo
) -> None:
    """Stripe has ended it: paying the invoice would bring nothing back."""
    story = subscriber(world, *["generic_decline"] * 9).until(16)
    assert story.status == "canceled"
    said = words(portal.get(link_to(story).token).text)
    assert said.startswith("Your subscription has ended It ended on February 17, 2026")
    assert "Amount due" not in said


def test_it_lists_what_else_is_open(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """Another subscription of the same customer, whose renewal failed too."""
    story = subscriber(world, *["generic_decline"] * 9)
    engine = world.stripe.engine
    price = engine.create_price(700, "usd", interval="month", product_name="Extra seats")
    engine.create_subscription(story.customer, price, trial_days=31)
    story.until(1)
    said = words(portal.get(link_to(story).token).text)
    assert "Amount due $19.00" in said
    assert re.search(r"Also open \S+ \$7\.00", said)


def test_every_answer_has_the_headers(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """Errors, other methods and pages that are not there included."""
    token = link_to(subscriber(world, "generic_decline").until(0)).token
    asked = [
        portal.get(token),
        portal.get("unknown"),
        portal.client.get("/"),
        portal.client.get(f"/p/{token}/"),
        portal.client.get(f"/p/{token}/fresh"),
        portal.client.post(f"/p/{token}/fresh"),
        portal.client.post(f"/p/{token}/nothing"),
        portal.client.put(f"/p/{token}"),
        portal.client.options(f"/p/{token}"),
        portal.client.get("/healthz"),
    ]
    assert [answer.status_code for answer in asked] == [200, 404, 404, 404, 303, 415, 404, 405, 405, 200]
    for answer in asked:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_the_style_sheet_may_be_kept_and_has_the_brands_colour(start_portal: StartPortal) -> None:
    """Its name changes with what is in it; any other name is none."""
    portal = start_portal(DUNNING_BRAND_COLOR="#0f766e")
    found = re.search(r'href="(/assets/[^"]+)"', portal.get("unknown").text)
    assert found
    answer = portal.client.get(found[1])
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "--brand: #0f766e" in answer.text
    assert portal.client.get("/assets/portal.000000000000.css").status_code == 404


def state(world: World) -> dict[str, Any]:
    """Every row of every table with the transaction that wrote it last."""

    async def read() -> dict[str, Any]:
        found = {}
        async with world.services.engine.connect() as connection:
            for table in models.metadata.tables:
                rows = await connection.execute(text(f"SELECT xmin::text, ctid::text FROM {table}"))  # noqa: S608
                found[table] = sorted(map(tuple, rows))
        return found

    return world.run(read())


def test_no_token_stands_in_a_log(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """Three bytes of the digest find the lines of a link."""
    minted = link_to(subscriber(world, "generic_decline").until(0))
    portal.get(minted.token)
    portal.submit(minted.token, "language", language="de")
    portal.client.get(f"/p/{minted.token}/nothing")
    assert portal.stop() == 0
    assert portal.said("page.asked")[0]["link"] == minted.digest.hex()[:6]
    everything = "".join(portal.lines)
    assert minted.token not in everything
    assert minted.token.partition(".")[0] not in everything


def test_without_a_database_it_says_so_kindly(start_portal: StartPortal, world: World) -> None:
    """503, in the reader's language, and the process lives on."""
    portal = start_portal(DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    answer = portal.get("unknown", accept_language="fr")
    assert answer.status_code == 503
    assert "est perdu." in words(answer.text)
    assert portal.client.get("/readyz").status_code == 503
    assert portal.client.get("/healthz").status_code == 200
    assert world.rows(models.links) == []
