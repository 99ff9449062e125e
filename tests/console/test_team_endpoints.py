"""The endpoints of the merchant's application, managed by the team's API."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from console.scopes import Scope
from db import deliveries, endpoints, journal
from db.endpoints import Wanted
from db.journal import Entry
from outbound.signing import key_of, new_secret
from tests.console.team_api import TeamApi
from tests.console.test_access_api import is_problem
from tests.db.rows import customer_row
from tests.dunning.builders import day

PATH = "/v1/webhook-endpoints"
URL = "https://shop.example/hooks?of=acme"
NAMES = (f"name-{number}" for number in count())


def post(team: TeamApi, path: str, *, key: str | None = None, **said: Any) -> Any:
    """Ask for something, under a new name."""
    headers = {"authorization": f"Bearer {key or team.key}", "idempotency-key": next(NAMES)}
    return team.ask("POST", PATH + path, json=said, headers=headers)


def happens(team: TeamApi, number: int = 1) -> None:
    """So many changes of access; the first is not accepted."""

    async def work() -> None:
        async with team.engine.begin() as connection:
            customer = await customer_row(connection)
            entries = [Entry(customer, day(0), "access.changed", "trial") for _ in range(number)]
            await journal.write(connection, entries)
            for one in await deliveries.claim(connection, 1, 1):
                await deliveries.not_delivered(connection, one, 500, "it answered 500", wait=None)

    team.run(work)


def test_an_endpoint_from_its_addition_to_its_removal(team: TeamApi) -> None:
    """Its secret is in the answers to those who make one, and in no other."""
    added = post(team, "", url=URL, events=["access.changed"], about="the shop").json()
    assert (added["endpoint"], len(key_of(added["secret"]))) == (1, 32)
    assert is_problem(post(team, "", url=URL), 409, "refused")
    happens(team)
    assert post(team, "/1/disable", reason="moving", by="maria").json()["disabled_why"] == (
        "moving, says maria (key support desk)"
    )
    assert is_problem(post(team, "/1/disable", reason="moving"), 409, "refused")
    assert is_problem(post(team, "/1/replay", failed=True), 409, "refused")
    assert post(team, "/1/enable").json()["disabled_at"] is None
    assert is_problem(post(team, "/1/enable"), 409, "refused")
    rotated = post(team, "/1/rotate").json()
    assert rotated["secret"] != added["secret"]
    [one] = team.get(PATH).json()["endpoints"]
    assert team.get(f"{PATH}/1").json() == one
    assert (one["url"], one["events"], one["about"], one["secrets"]) == (
        URL,
        ["access.changed"],
        "the shop",
        2,
    )
    assert "whsec_" not in team.get(PATH).text
    assert post(team, "/1/remove").json() == {"endpoint": 1}
    assert is_problem(team.get(f"{PATH}/1"), 404, "unknown_endpoint")
    assert is_problem(post(team, "/1/remove"), 404, "unknown_endpoint")


def test_what_was_sent_is_listed_and_sent_again(team: TeamApi) -> None:
    """Page by page, the newest first; only what was asked for is sent again."""
    post(team, "", url=URL)
    happens(team, 3)
    page = team.get(f"{PATH}/1/deliveries?limit=2").json()
    assert [one["status"] for one in page["deliveries"]] == ["pending", "pending"]
    last = team.get(f"{PATH}/1/deliveries?limit=2&before={page['next']}").json()
    assert [(one["code"], one["error"]) for one in last["deliveries"]] == [(500, "it answered 500")]
    assert last["next"] is None
    [failed] = team.get(f"{PATH}/1/deliveries?status=failed").json()["deliveries"]
    assert is_problem(post(team, "/1/replay"), 400, "invalid_body")
    assert post(team, "/1/replay", event="case.opened").json()["sent_again"] == 0
    assert post(team, "/1/replay", since="2999-01-01T00:00:00Z", failed=True).json()["sent_again"] == 0
    assert post(team, "/1/replay", event=failed["message"]).json() == {"endpoint": 1, "sent_again": 1}
    assert post(team, "/1/replay", failed=True).json()["sent_again"] == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "https://user:pass@shop.example/",
        "https://[::1]/",
        "https://shop.example/#part",
        "https://shop.example:99999/",
        "https://bücher.example/",
        "shop.example",
    ],
)
def test_a_url_that_is_not_plain_is_refused(team: TeamApi, url: str) -> None:
    assert is_problem(post(team, "", url=url), 400, "invalid_body")


def test_what_the_settings_name_is_changed_there(team: TeamApi) -> None:
    """A new secret would be gone with the next start of a worker."""

    async def work() -> None:
        async with team.engine.begin() as connection:
            await endpoints.keep_to(connection, [Wanted(URL, new_secret())])

    team.run(work)
    for change in ("rotate", "remove"):
        assert is_problem(post(team, f"/1/{change}"), 409, "refused")


def test_the_scope_is_needed(team: TeamApi) -> None:
    """To see them, and to change them."""
    other = team.new_key(*(scope for scope in Scope if scope is not Scope.WEBHOOKS))
    assert is_problem(team.get(PATH, key=other), 403, "scope_missing")
    assert is_problem(post(team, "", key=other, url=URL), 403, "scope_missing")
