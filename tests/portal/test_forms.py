"""Forms: bound to their link, small, of one kind, and not too many of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from starlette.requests import Request

from portal.forms import Binding, UnboundError
from portal.limits import Buckets, Rate, visitor
from tests.portal.conftest import LinkTo
from tests.portal.process import BOUND, PortalProcess
from tests.portal.test_page import words
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def at(moment: datetime, *secrets: str) -> Binding:
    return Binding(secrets or ["one"], lambda: moment)


def test_a_field_is_good_for_its_link_and_a_day() -> None:
    """Not for another link, nor later, nor from a clock that runs ahead, nor by another secret."""
    field = at(NOW).field("token")
    at(NOW + timedelta(hours=24)).check("token", field)
    for binding, token, given in [
        (at(NOW), "other", field),
        (at(NOW + timedelta(hours=24, seconds=1)), "token", field),
        (at(NOW - timedelta(seconds=1)), "token", field),
        (at(NOW, "two"), "token", field),
        (at(NOW), "token", ""),
        (at(NOW), "token", field[:-1]),
        (at(NOW), "token", f"{field[:-9]}\u202e{field[-9:]}"),
        (at(NOW), "token", "ä"),
    ]:
        with pytest.raises(UnboundError):
            binding.check(token, given)


def test_a_secret_can_be_replaced_for_forms_too() -> None:
    """A page that was open meanwhile still works."""
    Binding(["new", "old"], lambda: NOW).check("token", at(NOW, "old").field("token"))


def test_what_is_not_bound_does_nothing(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """Without the field, with that of another link, or sent by another site: 403, and the way back."""
    story = subscriber(world, "generic_decline").until(0)
    token, other = link_to(story).token, link_to(story).token
    found = BOUND.search(portal.get(other).text)
    assert found
    own = BOUND.search(portal.get(token).text)
    assert own
    path = f"/p/{token}/language"
    answers = [
        portal.submit(token, "language", bound="", language="de"),
        portal.submit(token, "language", bound=found[1], language="de"),
        portal.client.post(path, data={"language": "de"}),
        portal.client.post(
            path, data={"bound": own[1], "language": "de"}, headers={"sec-fetch-site": "cross-site"}
        ),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert f'href="/p/{token}"' in answers[0].text
    assert words(portal.get(token).text).startswith("Your payment did not go through")


def test_only_small_forms_of_one_kind_are_read(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """Too large, whatever the header says; of another kind; broken; with a field twice; with too many."""
    token = link_to(subscriber(world, "generic_decline").until(0)).token
    path, kind = f"/p/{token}/language", {"content-type": "application/x-www-form-urlencoded"}

    def chunks() -> Iterator[bytes]:
        yield from [b"a=" + b"x" * 1000] * 20

    asked = [
        portal.client.post(path, content=b"a=" + b"x" * 20_000, headers=kind),
        portal.client.post(path, content=chunks(), headers=kind),
        portal.client.post(path, json={"language": "de"}),
        portal.client.post(path, content=b"\xff\xfe", headers=kind),
        portal.client.post(path, content=b"a=1&a=2", headers=kind),
        portal.client.post(path, content=b"&".join(b"f%d=1" % n for n in range(40)), headers=kind),
    ]
    assert [answer.status_code for answer in asked] == [413, 413, 415, 400, 400, 400]


def test_no_redirect_leads_elsewhere(portal: PortalProcess) -> None:
    """What stands in an address is not repeated unless it can be a token."""
    for token in ("%2F%2Fevil.example", "..", "%0d%0aset-cookie:%20a=b", "a%22b"):
        found = BOUND.search(portal.client.get(f"/p/{token}").text)
        if found:
            answer = portal.client.post(f"/p/{token}/language", data={"bound": found[1], "language": "de"})
            assert answer.headers["location"] == "/p/-"


def test_a_bucket_empties_and_fills() -> None:
    """A burst at once, then at its rate; who is unheard of for long is forgotten."""
    now = 0.0
    buckets = Buckets(Rate(burst=3, per_minute=60), clock=lambda: now, most=2)
    assert [buckets.take("a") for _ in range(4)] == [True, True, True, False]
    assert buckets.take("b")
    now = 1.0
    assert [buckets.take("a") for _ in range(2)] == [True, False]
    for key in "cdefg":
        buckets.take(key)
    assert len(buckets) == 2


def test_a_script_is_told_to_wait(world: World, portal: PortalProcess, link_to: LinkTo) -> None:
    """Twelve forms at once for one link; reading it goes on."""
    story = subscriber(world, "generic_decline").until(0)
    token = link_to(story).token
    found = BOUND.search(portal.get(token).text)
    assert found
    form = {"bound": found[1], "language": "en"}
    codes = [portal.client.post(f"/p/{token}/language", data=form).status_code for _ in range(14)]
    assert codes[:12] == [303] * 12
    assert 429 in codes[12:]
    answer = portal.client.post(f"/p/{token}/language", data=form)
    if answer.status_code == 429:
        assert answer.headers["retry-after"] == "60"
    assert portal.get(token).status_code == 200


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "192.0.2.9, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "192.0.2.9, 198.51.100.1, 127.0.0.2", "198.51.100.1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
def test_the_visitor_is_whom_our_own_proxy_names(peer: str, forwarded: str, counted: str) -> None:
    """What a visitor writes into the header themselves is not believed."""
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    request = Request({"type": "http", "headers": headers, "client": (peer, 1)})
    assert visitor(request, [ip_network("127.0.0.0/8")]) == counted
