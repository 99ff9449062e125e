"""What an action may rely on, shown with one that only writes down that it was run."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from portal.actions import Action, Answer, Asked, Leave, Shown
from portal.facts import Facts
from portal.forms import Binding, Form
from sandbox.stripe import Card
from tests.portal.conftest import LinkTo
from tests.portal.process import BOUND, SECRET
from tests.portal.visits import visit
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

TARGET = "https://billing.stripe.example"


class Probe(Action):
    """An action without fields of its own."""

    __slots__ = ()

    @property
    def template(self) -> str:
        return "parts.html"


def probe(answer: Answer, ran: list[Form]) -> Action:
    """An action that gives this answer while there is something to pay."""

    async def run(asked: Asked) -> Answer:
        ran.append({"case": asked.behind.case.invoice, **asked.form})
        return answer

    def suits(seen: Facts) -> bool:
        return seen.payable

    return Probe("probe", suits, run)


async def press(client: httpx.AsyncClient, token: str, **fields: Any) -> list[httpx.Response]:
    """Open the page and press the action's button."""
    opened = await client.get(f"/p/{token}")
    found = BOUND.search(opened.text)
    assert found
    data = {"bound": found[1], **fields}
    return [opened, await client.post(f"/p/{token}/probe", data=data)]


def failed(world: World) -> Story:
    return subscriber(world, *["generic_decline"] * 9).until(0)


def test_the_page_shows_the_form_of_what_suits(world: World, link_to: LinkTo) -> None:
    """And leads to the merchant's own page no more; what came of it stands above the page as it is then."""
    token, ran = link_to(failed(world)).token, list[Form]()
    action = probe(Shown("declined"), ran)
    opened, done = visit(world, lambda client: press(client, token, extra="1"), [action], [TARGET])
    assert f'action="/p/{token}/probe"' in opened.text
    assert "Or pay on another page" in opened.text
    assert f"form-action 'self' {TARGET};" in opened.headers["content-security-policy"]
    assert done.status_code == 200
    assert re.search(r'role="status">We have just tried again', done.text)
    assert [form["extra"] for form in ran] == ["1"]


def test_what_does_not_suit_any_more_is_not_run(world: World, link_to: LinkTo) -> None:
    """The page had been open while it was paid."""
    story, ran = failed(world), list[Form]()
    token = link_to(story).token
    action = probe(Shown("done"), ran)
    field = Binding([SECRET], world.services.clock).field(token)
    story.pay(Card())

    async def late(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [await client.post(f"/p/{token}/probe", data={"bound": field})]

    (answer,) = visit(world, late, [action])
    assert "Thank you, your payment has arrived" in answer.text
    assert ran == []


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (f"{TARGET}/session/1", 303),
        ("https://evil.example/", 500),
        (f"{TARGET}.evil.example/", 500),
        ("//billing.stripe.example/", 500),
        ("http://billing.stripe.example/", 500),
    ],
)
def test_nobody_is_sent_anywhere_else(world: World, link_to: LinkTo, url: str, status: int) -> None:
    """Only to the origins that are named in the settings."""
    token = link_to(failed(world)).token
    _, done = visit(world, lambda client: press(client, token), [probe(Leave(url), [])], [TARGET])
    assert done.status_code == status
    assert done.headers.get("location") == (url if status == 303 else None)
