"""What somebody may send who wishes ill: the usual list (OWASP Top Ten), as docs/portal.md has it."""

from __future__ import annotations

import re
import socket

import httpx
import pytest

from db import models
from sandbox.stripe import Card
from tests.portal.conftest import LinkTo, StartPortal
from tests.portal.process import PortalProcess
from tests.portal.visits import click, forms, look, visit
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

TABLES = (models.outbox, models.links, models.instructions, models.journal, models.cases)


def failing(world: World) -> Story:
    return subscriber(world, *["generic_decline"] * 9).until(1)


def state(world: World) -> list[str]:
    """Everything that a form could have changed."""
    return [repr(world.rows(table)) for table in TABLES]


ODD_TOKENS = [
    "' OR 1=1 --",
    '"; DROP TABLE links; --',
    "%00",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%2f..%2fsettings",
    "{{7*7}}",
    "%7b%7b7*7%7d%7d",
    "<script>alert(1)</script>",
    "%0d%0aset-cookie:%20x=1",
    "%F0%9F%92%B3" * 30,
    "a" * 4000,
]


@pytest.mark.parametrize("token", ODD_TOKENS)
def test_injection_finds_nothing_to_get_into(portal: PortalProcess, token: str) -> None:
    """A03: neither SQL nor a template, a header, a path or a page repeats what stands in an address."""
    for answer in (portal.client.get(f"/p/{token}"), portal.client.get(f"/assets/{token}")):
        assert answer.status_code in (303, 404)
        assert "49" not in re.findall(r"<h1>(.*?)</h1>", answer.text)
        assert "<script" not in answer.text
        assert "set-cookie" not in answer.headers
        assert "root:" not in answer.text
        assert answer.headers.get("location", "/p/-") == "/p/-"


def test_a_form_cannot_name_somebody_elses_case(world: World, link_to: LinkTo) -> None:
    """A01: who and what is meant stands behind the link, whatever further fields say."""
    victim = subscriber(world, *["generic_decline"] * 9, email="victim@customer.example").until(1)
    own = failing(world)
    token = link_to(own).token
    more = {
        "customer_id": "1",
        "customer": victim.customer.id,
        "case": victim.invoice.id,
        "invoice": victim.invoice.id,
        "amount": "1",
        "name": "asked_anew",
    }
    click(world, token, "retry", **more)
    paths = [each.path for each in world.stripe.requests if each.path.endswith("/pay")]
    assert paths == [f"/v1/invoices/{own.invoice.id}/pay"]


def test_a_form_of_another_link_does_nothing(world: World, link_to: LinkTo) -> None:
    """A01: a field that is bound to one's own link opens nobody else's."""
    victim = subscriber(world, *["generic_decline"] * 9, email="victim@customer.example").until(1)
    mine, theirs = link_to(failing(world)).token, link_to(victim).token
    fields = forms(look(world, mine).text)["retry"]
    before = state(world)
    sent = visit(world, lambda client: client.post(f"/p/{theirs}/retry", data=fields))
    assert sent.status_code == 403
    assert state(world) == before


@pytest.mark.parametrize("action", ["retry", "settle", "method", "confirm", "promise", "payer", "come_back"])
def test_nothing_is_done_without_the_bound_field(world: World, link_to: LinkTo, action: str) -> None:
    """A01, cross-site request forgery: every action, also by a method override and from another site."""
    token = link_to(failing(world)).token
    before, asked = state(world), len(world.stripe.requests)

    async def send(client: httpx.AsyncClient) -> list[int]:
        path = f"/p/{token}/{action}"
        answers = [
            await client.post(path, data={"click": "x" * 22}),
            await client.post(path, data={"bound": "guessed", "click": "x" * 22}),
            await client.get(path),
            await client.request("PUT", path),
            await client.get(f"/p/{token}", headers={"x-http-method-override": "POST"}),
        ]
        return [answer.status_code for answer in answers]

    assert visit(world, send) == [403, 403, 303, 405, 200]
    assert state(world) == before
    assert len(world.stripe.requests) == asked


@pytest.mark.parametrize(
    "nonce", ["", "short", "x" * 65, "a:b:c:d:e:f:g:h:i", "' OR 1=1 --  ------", "x" * 16 + "\n"]
)
def test_a_click_has_one_shape(world: World, link_to: LinkTo, nonce: str) -> None:
    """A04: what becomes part of a key is letters and digits; anything else is refused and not charged."""
    token = link_to(failing(world)).token
    fields = forms(look(world, token).text)["retry"] | {"click": nonce}
    sent = visit(world, lambda client: client.post(f"/p/{token}/retry", data=fields))
    assert sent.status_code == 400
    assert not [each for each in world.stripe.requests if each.path.endswith("/pay")]


def test_no_address_is_built_from_what_a_browser_says(world: World, link_to: LinkTo) -> None:
    """A05: the way back from Stripe is the configured one, whatever the Host headers are."""
    token = link_to(failing(world)).token

    async def lied_to(client: httpx.AsyncClient) -> httpx.Response:
        page = await client.get(f"/p/{token}")
        headers = {
            "host": "evil.example",
            "x-forwarded-host": "evil.example",
            "forwarded": "host=evil.example",
        }
        return await client.post(f"/p/{token}/method", data=forms(page.text)["method"], headers=headers)

    assert visit(world, lied_to).status_code == 303
    (made,) = [each for each in world.stripe.requests if each.path.endswith("/billing_portal/sessions")]
    assert "evil.example" not in repr(made.params)
    assert f"https://pay.merchant.example/p/{token}?back=1" in repr(made.params)


def test_what_comes_back_in_the_address_is_not_repeated(world: World, link_to: LinkTo) -> None:
    """A03: nothing of a query stands on the page."""
    page = look(world, link_to(failing(world)).token, "?back=<script>alert(1)</script>&notice=paid&x=zebra")
    assert "alert(1)" not in page.text
    assert "zebra" not in page.text


def test_stolen_cards_cannot_be_tried_out(world: World, link_to: LinkTo) -> None:
    """A04: five new cards a day, however many links somebody has."""
    story = failing(world)
    tokens = [link_to(story).token for _ in range(2)]
    for number in range(7):
        world.stripe.engine.save_card(
            world.stripe.engine.refresh(story.customer),
            Card(last4=f"100{number}", outcomes=("generic_decline",)),
        )
        token = tokens[number % 2]
        if "settle" in forms(look(world, token, "?back=1").text):
            click(world, token, "settle", at="?back=1")
    paid = [each for each in world.stripe.requests if each.path.endswith("/pay")]
    assert len(paid) == 5


def test_a_page_tells_nobody_who_the_customer_is(world: World, link_to: LinkTo) -> None:
    """A02: whoever finds a link learns no name, no address, no number of the provider's."""
    story = subscriber(world, *["generic_decline"] * 9, name="Ada Lovelace-Example").until(1)
    text = look(world, link_to(story).token).text
    for secret in (
        "ada@customer.example",
        "Lovelace",
        story.customer.id,
        story.invoice.id,
        story.subscription.id,
    ):
        assert secret not in text


def test_without_a_key_the_page_asks_nobody(start_portal: StartPortal, world: World, link_to: LinkTo) -> None:
    """A05: least privilege by default; what needs no provider is still offered."""
    page = start_portal().get(link_to(failing(world)).token)
    assert set(forms(page.text)) == {"promise", "payer"}


def test_a_slow_visitor_holds_up_nobody(portal: PortalProcess, world: World, link_to: LinkTo) -> None:
    """A04: a form that never ends is one connection's trouble."""
    token = link_to(failing(world)).token
    port = portal.client.base_url.port
    assert port
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    for each in slow:
        each.sendall(f"POST /p/{token}/retry HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n".encode())
    assert portal.get(token).status_code == 200
    for each in slow:
        each.close()
