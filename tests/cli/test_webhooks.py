"""`dunning webhooks`, as a user runs it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from db import deliveries, journal
from db.journal import Entry
from outbound.signing import key_of, new_secret
from settings.urls import for_sqlalchemy
from tests.cli.forking import dunning
from tests.db.rows import customer_row
from tests.dunning.builders import day
from tests.outbound.receiver import Receiver, receiver

SECRET = new_secret()
URL = "https://app.acme.example/hooks"


@pytest.fixture(scope="module")
def shop() -> Iterator[Receiver]:
    with receiver(SECRET) as running:
        yield running


class Commands:
    """Runs `dunning webhooks` on a database of its own, in test mode."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def __call__(self, *arguments: str, code: int = 0, **env: str) -> str:
        done = dunning(
            "webhooks",
            *arguments,
            cwd=self.folder,
            **{
                "DATABASE_URL": self.url,
                "DUNNING_LIVEMODE": "false",
                "DUNNING_WEBHOOK_PRIVATE_ADDRESSES": "127.0.0.0/8",
            }
            | env,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))

    def happens(self, *kinds: str) -> None:
        """Something is written to the journal, and the first of it is not accepted."""

        async def work(connection: AsyncConnection) -> None:
            customer = await customer_row(connection)
            entries = [Entry(customer, day(0), kind, "recovered", "in_1", {}) for kind in kinds]
            await journal.write(connection, entries)
            for one in await deliveries.claim(connection, 1, 1):
                await deliveries.not_delivered(connection, one, 500, "it answered 500", wait=None)

        async def run() -> None:
            engine = create_async_engine(for_sqlalchemy(self.url), poolclass=NullPool)
            async with engine.begin() as connection:
                await work(connection)
            await engine.dispose()

        asyncio.run(run())


@pytest.fixture
def webhooks(database_url: str, tmp_path: Path) -> Commands:
    return Commands(database_url, tmp_path)


def test_an_endpoint_is_added_and_its_secret_shown_once(webhooks: Commands) -> None:
    """To whoever adds it; to nobody who looks later."""
    assert "There are none" in webhooks("list")
    added = webhooks.json("add", URL, "--event", "access.changed", "--about", "the shop")
    assert len(key_of(added["secret"])) == 32
    assert "There is an endpoint with this URL" in webhooks("add", URL, code=1)
    for command in ("list", "show 1", "list --json", "show 1 --json", "deliveries"):
        assert added["secret"] not in webhooks(*command.split())
    [one] = webhooks.json("list")
    assert (one["endpoint"], one["url"], one["events"], one["about"]) == (
        1,
        URL,
        ["access.changed"],
        "the shop",
    )
    assert URL in webhooks("list")
    assert "There is no endpoint 2" in webhooks("show", "2", code=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["http://user:pass@127.0.0.1/"], "no user"),
        (["ftp://127.0.0.1/"], "https://"),
        ([URL, "--event", "case.imagined"], "is no event"),
        ([URL, "--secret", "whsec_c2hvcnQ="], "24 to 64"),
    ],
)
def test_what_cannot_be_sent_to_is_refused(webhooks: Commands, arguments: list[str], words: str) -> None:
    """With the reason, and exit code 2."""
    assert words in " ".join(webhooks("add", *arguments, code=2).split())


def test_http_is_for_test_mode_and_networks_of_ones_own(webhooks: Commands) -> None:
    """Live, and where no network is allowed, https:// is needed."""
    for env in ({"DUNNING_LIVEMODE": "true"}, {"DUNNING_WEBHOOK_PRIVATE_ADDRESSES": ""}):
        assert "must start with https://" in webhooks("add", "http://127.0.0.1:1/", code=1, **env)
    webhooks("add", "http://127.0.0.1:1/")


def test_an_endpoint_is_tried_out(webhooks: Commands, shop: Receiver) -> None:
    """Accepted where the signature is right; else the answer and exit code 1."""
    webhooks("add", shop.url, "--secret", SECRET)
    assert "Accepted with 200." in webhooks("test", "1")
    assert shop.heard[-1][1]["type"] == "webhooks.test"
    webhooks("rotate", "1", "--overlap-hours", "0")
    assert "Not accepted: it answered 401." in webhooks("test", "1", code=1)
    webhooks("rotate", "1", "--secret", SECRET)
    assert "Accepted" in webhooks("test", "1")
    refused = webhooks("test", "1", code=1, DUNNING_WEBHOOK_PRIVATE_ADDRESSES="")
    assert "127.0.0.1 is at a private address" in refused


def test_what_an_endpoint_has_missed_is_sent_again(webhooks: Commands) -> None:
    """Counted first, refused while it is disabled, and only what was asked for."""
    webhooks("add", URL)
    webhooks.happens("case.closed")
    webhooks("disable", "1", "--why", "moving")
    assert "moving" in webhooks("list")
    assert "disabled already" in webhooks("disable", "1", "--why", "moving", code=1)
    webhooks.happens("access.changed")
    assert "say which" in webhooks("replay", "1", code=2)
    assert "3 events would be sent again" in webhooks("replay", "1", "--failed", "--dry-run")
    assert "is disabled" in webhooks("replay", "1", "--failed", code=1)
    webhooks("enable", "1")
    webhooks("enable", "1", code=1)
    listed = webhooks("deliveries", "1", "--status", "failed")
    assert "it answered 500" in listed
    [one] = [row for row in webhooks.json("deliveries") if row["code"] == 500]
    again = webhooks.json("replay", "1", "--event", one["message"])
    assert (again["matching"], again["sent_again"]) == (1, 1)
    assert (
        webhooks.json("replay", "1", "--event", "access.changed", "--since", "2026-01-01")["sent_again"] == 1
    )
    assert webhooks.json("replay", "1", "--failed")["sent_again"] == 1
    assert webhooks.json("replay", "1", "--failed")["sent_again"] == 0
    assert {row["status"] for row in webhooks.json("deliveries")} == {"pending"}


def test_an_endpoint_is_removed_with_what_was_sent(webhooks: Commands) -> None:
    """After a question, unless somebody answers it before."""
    webhooks("add", URL)
    webhooks.happens("case.closed")
    webhooks("remove", "1", code=1)
    webhooks("remove", "1", "--yes")
    assert webhooks.json("list") == []


def test_a_new_secret_is_printed_for_the_settings(webhooks: Commands) -> None:
    assert len(key_of(webhooks("secret").strip())) == 32
