"""The merchant's application completes events: signed requests, to where they may go, asked once a minute."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest
from standardwebhooks import Webhook

from dunning.events import CustomerSeen, InvoiceSeen, PayPageSeen
from outbound.addresses import Rules
from outbound.post import Poster
from outbound.signing import new_secret
from providers.lookup import Lookup, Normalised, ProviderUnavailableError, Subject
from providers.neutral.application import KEPT, Application
from providers.neutral.asking import asking
from tests.providers.asking import of
from tests.providers.neutral import failed

SECRET = new_secret()
OURS = Poster(Rules((ip_network("127.0.0.0/8"),), plain=True))
ADA = {
    "customerId": "cus_1",
    "customer": {"email": "ada@customer.example"},
    "plan": "Pro",
    "amount": 1900,
    "currency": "eur",
    "payUrl": "https://pay.acme.example/1",
}
EVENT = failed(1, plan="Team")


class Shop:
    """The application on loopback: answers with `status` and `body`, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, json.dumps(ADA).encode()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in head)}
        self.asked.append((head[0].split()[1], headers))
        said = f"HTTP/1.1 {self.status} x\r\ncontent-length: {len(self.body)}\r\nlocation: /elsewhere\r\n\r\n"
        writer.write(said.encode() + self.body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def running(shop: Shop) -> AsyncIterator[Shop]:
    server = await asyncio.start_server(shop.answer, "127.0.0.1", 0)
    async with server:
        shop.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/dunning?shop=1"
        yield shop


def asked(
    use: Callable[[Application, Shop], Awaitable[Any]],
    poster: Poster = OURS,
    clock: Callable[[], float] = lambda: 0.0,
    **shop: Any,
) -> Any:
    """Ask through a real socket."""

    async def run() -> Any:
        made = Shop()
        for name, value in shop.items():
            setattr(made, name, value)
        async with running(made):
            return await use(Application(asking(poster, made.url, [SECRET]), clock), made)

    return asyncio.run(run())


def lookup(ref: str = "sub_1") -> Lookup:
    return Lookup(Subject.SUBSCRIPTION, ref, datetime(2026, 6, 1, tzinfo=UTC), EVENT)


def test_the_answer_completes_the_event_whose_own_words_go_first() -> None:
    """Who, how much and where to pay come from the answer; the plan was in the event."""

    async def use(application: Application, shop: Shop) -> Normalised:
        return await application.look_up(lookup())

    found = asked(use)
    assert of(found.facts, CustomerSeen)[0].email == "ada@customer.example"
    assert of(found.facts, InvoiceSeen)[0].amount_remaining == 1900
    assert of(found.facts, PayPageSeen)[0].url == "https://pay.acme.example/1"
    assert {fact.customer for fact in found.facts} == {"cus_1"}
    assert "Team" in repr(found.facts)
    assert found.lookups == ()


def test_the_request_is_signed_with_its_path_and_query() -> None:
    """By the public library's own reckoning, over exactly what is asked."""

    async def use(application: Application, shop: Shop) -> list[tuple[str, dict[str, str]]]:
        await application.look_up(lookup("sub/1&x=é"))
        return shop.asked

    [(path, headers)] = asked(use)
    assert path == "/dunning?shop=1&subscription=sub%2F1%26x%3D%C3%A9"
    with pytest.raises(json.JSONDecodeError):  # it is genuine, and then no JSON
        Webhook(SECRET).verify(path, headers)


def test_an_answer_stands_for_a_minute() -> None:
    """A failure comes with others that ask the same; later it is asked anew."""
    now = [0.0]

    async def use(application: Application, shop: Shop) -> list[int]:
        counted = []
        for at in (0, KEPT - 1, KEPT + 1):
            now[0] = at
            await application.look_up(lookup())
            counted.append(len(shop.asked))
        return counted

    assert asked(use, clock=lambda: now[0]) == [1, 1, 2]


def test_a_subscription_that_they_do_not_know_says_nothing() -> None:
    """404 is an answer."""

    async def use(application: Application, shop: Shop) -> Normalised:
        return await application.look_up(lookup())

    assert asked(use, status=404) == Normalised()


@pytest.mark.parametrize(
    ("shop", "why"),
    [
        ({"status": 500}, "answers 500"),
        ({"status": 302}, "answers 302"),
        ({"body": b"<html>"}, "no JSON object"),
        ({"body": b"[]"}, "no JSON object"),
        ({"body": json.dumps(ADA | {"amount": "much"}).encode()}, "no whole number"),
        ({"body": b'"' + b"x" * 70_000 + b'"'}, "too large"),
    ],
)
def test_a_faulty_answer_is_asked_for_again_later(shop: dict[str, Any], why: str) -> None:
    """Nothing is followed, nothing large is read, and the event waits."""

    async def use(application: Application, shop: Shop) -> None:
        with pytest.raises(ProviderUnavailableError, match=why):
            await application.look_up(lookup())

    asked(use, **shop)


def test_only_addresses_of_the_internet_are_asked() -> None:
    """An address that only this machine can reach is not reached, unless the settings allow its network."""

    async def use(application: Application, shop: Shop) -> int:
        with pytest.raises(ProviderUnavailableError, match="private address"):
            await application.look_up(lookup())
        return len(shop.asked)

    assert asked(use, poster=Poster()) == 0
