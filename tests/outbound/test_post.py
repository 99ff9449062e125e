"""One POST to a real server that behaves, or does not."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator, Sequence
from ipaddress import ip_network

import pytest

from outbound.addresses import ForbiddenError, Rules
from outbound.post import Answer, Poster, UnreachableError
from outbound.sending import Outcome, send
from outbound.signing import new_secret
from tests.outbound.receiver import (
    CERTIFICATE,
    CUT,
    DRIP,
    ENDLESS,
    GARBAGE,
    SILENT,
    Behaviour,
    Receiver,
    receiver,
)

SECRET = new_secret()
LOOPBACK = Rules((ip_network("127.0.0.0/8"),), plain=True)
BODY = '{"type":"case.opened"}'


@pytest.fixture(scope="module")
def shop() -> Iterator[Receiver]:
    with receiver(SECRET) as running:
        yield running


@pytest.fixture(scope="module")
def safe_shop() -> Iterator[Receiver]:
    with receiver(SECRET, tls=True) as running:
        yield running


@pytest.fixture(scope="module")
def poster() -> Poster:
    """One that reaches this machine, and trusts the tests' certificate."""
    return Poster(LOOPBACK, trust=ssl.create_default_context(cafile=CERTIFICATE))


def sent(poster: Poster, url: str) -> Outcome:
    return asyncio.run(send(poster, url, [SECRET], "msg_1", BODY))


def post(poster: Poster, url: str, within: float) -> Answer:
    return asyncio.run(poster.post(url, {}, b"{}", within=within))


def test_a_genuine_event_is_accepted(shop: Receiver, poster: Poster) -> None:
    """With the path and query of the URL, as JSON, and verified by the library."""
    assert sent(poster, shop.url) == Outcome(200)
    assert shop.heard[-1] == ("msg_1", {"type": "case.opened"})
    headers = shop.headers[-1]
    assert headers["request"] == "POST /hooks?shop=1 HTTP/1.1"
    assert headers["host"] == f"127.0.0.1:{shop.port}"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("answer", [ENDLESS, DRIP, CUT])
def test_whoever_says_200_has_accepted_however_it_goes_on(
    shop: Receiver, poster: Poster, answer: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endless, a dripping and a broken-off body cost a moment and no memory."""
    monkeypatch.setattr("outbound.post.READ_WITHIN", 0.2)
    shop.answers.append(answer)
    began = time.monotonic()
    assert sent(poster, shop.url) == Outcome(200)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (500, 500, "it answered 500"),
        (404, 404, "it answered 404"),
        ((302, "location: http://169.254.169.254/latest/meta-data"), 302, "redirects are not followed"),
        ((307, "location: /elsewhere"), 307, "redirects are not followed"),
        (GARBAGE, None, "no proper answer"),
        (SILENT, None, "no proper answer"),
    ],
)
def test_anything_else_is_a_failure(
    shop: Receiver, poster: Poster, answer: Behaviour, code: int | None, words: str
) -> None:
    """And a redirect is asked for nothing more."""
    shop.answers.append(answer)
    requests = shop.requests
    outcome = sent(poster, shop.url)
    assert outcome.code == code
    assert words in str(outcome.error)
    assert shop.requests == requests + 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("9" * 30, 10**6), ("soon", None), (f"Fri, 31 Dec {'9' * 30} 23:59:59 GMT", None)],
)
def test_an_endpoint_may_ask_for_patience(
    shop: Receiver, poster: Poster, header: str, seconds: int | None
) -> None:
    """In seconds; what cannot be read asks for nothing."""
    shop.answers.append((503, f"Retry-After: {header}"))
    asked = sent(poster, shop.url).asked
    assert (asked and asked.total_seconds()) == seconds


def test_an_endpoint_may_ask_for_patience_until_a_date(shop: Receiver, poster: Poster) -> None:
    """Which is told in HTTP's own form."""
    shop.answers.append((429, "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT"))
    asked = sent(poster, shop.url).asked
    assert asked is not None
    assert asked.days > 365


def test_an_endpoint_that_hangs_is_left(shop: Receiver, poster: Poster) -> None:
    """After the time for it, whatever it is doing."""

    async def hang() -> None:
        await asyncio.sleep(60)

    shop.on_request = hang
    try:
        with pytest.raises(UnreachableError, match=r"no answer within 0\.2 s"):
            post(poster, shop.url, 0.2)
    finally:
        shop.on_request = None


def test_an_endpoint_that_is_away_is_a_failure(poster: Poster) -> None:
    """Nobody listens there any more."""
    with receiver(SECRET) as gone:
        url = gone.url
    assert sent(poster, url) == Outcome(None, "no connection")


def test_by_https_the_certificate_must_be_the_hosts(safe_shop: Receiver, poster: Poster) -> None:
    """The connection goes to the judged address, the name is checked all the same."""

    async def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    by_name = Poster(LOOPBACK, resolver=here, trust=poster.trust)
    assert sent(poster, safe_shop.url) == Outcome(200)
    assert sent(by_name, f"https://localhost:{safe_shop.port}/") == Outcome(200)
    wrong = sent(by_name, f"https://shop.example:{safe_shop.port}/")
    assert wrong.code is None
    assert "certificate is not valid" in str(wrong.error)
    assert "Hostname mismatch" in str(wrong.error)


def test_a_certificate_that_nobody_knows_is_refused(safe_shop: Receiver) -> None:
    """Whoever signed it themselves may be anybody."""
    outcome = sent(Poster(LOOPBACK), safe_shop.url)
    assert "certificate is not valid: self" in str(outcome.error)
    assert outcome.code is None


def test_a_name_that_changes_its_mind_gains_nothing(shop: Receiver) -> None:
    """Asked once: what it stands for a moment later, nobody wants to know."""
    nobodys = ip_network("192.0.2.0/24")
    answers = [["192.0.2.1"], ["127.0.0.1"]]
    asked = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    poster = Poster(Rules((nobodys,), plain=True), resolver=rebinding)
    requests = shop.requests
    with pytest.raises(UnreachableError):
        post(poster, f"https://evil.example:{shop.port}/", 0.3)
    assert asked == ["evil.example"]
    with pytest.raises(ForbiddenError, match="private address"):
        post(poster, f"https://evil.example:{shop.port}/", 0.3)
    assert shop.requests == requests


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0", "2130706433", "0x7f.1"]
)
def test_this_machine_is_not_reached_in_any_spelling(shop: Receiver, host: str) -> None:
    """Numbers, short forms and names: they are judged by what they resolve to."""
    requests = shop.requests
    with pytest.raises(ForbiddenError, match="private address"):
        post(Poster(Rules((), plain=True)), f"http://{host}:{shop.port}/", 5)
    assert shop.requests == requests


def test_a_name_that_stands_for_nothing_is_a_failure(poster: Poster) -> None:
    """It may stand for something tomorrow."""

    async def nowhere(host: str, port: int) -> Sequence[str]:
        raise OSError

    outcome = sent(Poster(LOOPBACK, resolver=nowhere), "https://shop.example/")
    assert outcome == Outcome(None, "shop.example cannot be resolved")


def test_proxies_of_the_environment_are_not_used(
    shop: Receiver, poster: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would connect to whatever it likes."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert sent(poster, shop.url) == Outcome(200)
