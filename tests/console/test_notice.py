"""What the merchant's application shows, over real HTTP: words, form, and a link that opens the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from console.banner import BANNERS
from db import links
from db.lookups import find_customers
from portal.links import Links, Pages
from sandbox.inbox import Inbox
from sandbox.stripe import Card, custom_schedule
from tests.console.conftest import KEYS, StartApi
from tests.console.process import ApiProcess
from tests.console.worlds import world_on
from tests.portal.test_page import state
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import SENDER, World

SECRET = "a-secret-of-the-tests-which-is-long-enough"
PAGES = Pages("https://pay.merchant.example", Links([SECRET]))
PORTAL = {"DUNNING_PORTAL_URL": PAGES.base, "DUNNING_LINK_SECRETS": SECRET}


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world whose mails lead to pages of our own."""
    with world_on(database_url, inbox) as world:
        world.courier = replace(world.courier, sender=replace(SENDER, pages=PAGES))
        world.services = replace(world.services, pages=True)
        yield world


@pytest.fixture
def api(start_api: StartApi) -> ApiProcess:
    """A running API that knows where the page is."""
    return start_api(**PORTAL)


def digests(world: World, story: Story) -> list[bytes]:
    """The links to the story's case in their order: its own, and those that its mails were given."""
    rows = world.rows(links.links)
    mine = [row for row in rows if row.case == story.invoice.id]
    return [row.digest for row in sorted(mine, key=lambda row: (row.made_at, row.made_by != "banner"))]


def behind(url: str) -> bytes | None:
    """The digest of the link that an address leads to."""
    assert url.startswith(f"{PAGES.base}/p/")
    return PAGES.links.read(url.removeprefix(f"{PAGES.base}/p/"))


def test_there_is_nothing_to_show_to_who_pays(world: World, api: ApiProcess) -> None:
    """The answer has the same fields, and they are null."""
    story = subscriber(world)
    said = api.banner(story.customer.id).json()
    assert said == {
        "customer": story.customer.id,
        "level": "full",
        "show": None,
        "lang": "en",
        "dir": "ltr",
        "text": None,
        "deadline": None,
        "deadline_text": None,
        "link": None,
        "labels": {"link": "Fix the payment", "close": "Close", "leave": "Sign out"},
    }


def test_a_failed_payment_is_a_banner_that_leads_to_the_page(world: World, api: ApiProcess) -> None:
    """With the text of the access API, the deadline in both forms, and the newest mail's link."""
    story = subscriber(world, *["generic_decline"] * 9).until(4)
    said = api.banner(story.customer.id).json()
    assert (said["level"], said["show"]) == ("warned", "banner")
    assert said["text"] == api.access(story.customer.id).json()["banner"]
    assert said["deadline"] == "2026-02-12T10:00:00Z"
    assert said["deadline_text"].replace("\N{NO-BREAK SPACE}", " ") == "February 12, 2026 at 10:00 AM UTC"
    assert said["deadline_text"] in said["text"]
    assert len(digests(world, story)) == 3
    assert behind(said["link"]) == digests(world, story)[-1]


def test_before_the_first_mail_there_is_a_link_too(world: World, api: ApiProcess) -> None:
    """A processing error is told by mail only if it lasts; the case has a link nobody was sent."""
    story = subscriber(world, *["processing_error"] * 9).until(1)
    assert story.mails() == []
    assert [behind(api.banner(story.customer.id).json()["link"])] == digests(world, story)


def test_the_end_is_a_wall_and_a_payment_takes_it_away(world: World, api: ApiProcess) -> None:
    """Limited in between, which is a banner still."""
    story = subscriber(world, *["do_not_honor"] * 9, retries=custom_schedule(40)).until(11)
    assert api.banner(story.customer.id).json()["level"] == "limited"
    assert api.banner(story.customer.id).json()["show"] == "banner"
    story.until(16)
    said = api.banner(story.customer.id).json()
    assert (said["level"], said["show"], said["deadline"]) == ("revoked", "wall", None)
    assert behind(said["link"]) == digests(world, story)[-1]
    story.pay(Card())
    said = api.banner(story.customer.id).json()
    assert (said["show"], said["text"], said["link"]) == (None, None, None)


def test_who_lost_the_subscription_is_asked_back_for_a_week(world: World, api: ApiProcess) -> None:
    """As long as the page opens; after that the wall has no link of ours."""
    story = subscriber(world, *["generic_decline"] * 9).until(16)
    assert story.status == "canceled"
    said = api.banner(story.customer.id).json()
    assert (said["show"], said["labels"]["link"]) == ("wall", "Start again")
    assert behind(said["link"]) == digests(world, story)[-1]
    story.until(30)
    assert api.banner(story.customer.id).json()["link"] is None


def test_the_words_are_the_readers(world: World, api: ApiProcess) -> None:
    """Everything that is read, and what can be pressed; the customer's own language without a header."""
    said = {}
    for language in BANNERS.languages():
        story = subscriber(world, "generic_decline", preferred_locales=[language]).until(1)
        said[language] = api.banner(story.customer.id).json()
        assert said[language] == api.banner(story.customer.id, accept_language=language).json()
        assert said[language]["lang"] == language
    for what in (lambda each: each["text"], lambda each: each["deadline_text"]):
        assert len(set(map(what, said.values()))) == 6
    for label in ("link", "close", "leave"):
        assert len({each["labels"][label] for each in said.values()}) == 6


def test_asking_a_hundred_times_writes_nothing(world: World, api: ApiProcess) -> None:
    """The link is the same each time, and no row of any table changes."""
    story = subscriber(world, "generic_decline").until(1)
    before = state(world)
    said = {api.banner(story.customer.id).json()["link"] for _ in range(100)}
    assert len(said) == 1
    assert state(world) == before


def test_a_revoked_link_leads_nowhere_and_none_is_shown(world: World, api: ApiProcess) -> None:
    """Until the next mail brings a new one: a banner is no way round `dunning link --revoke`."""
    story = subscriber(world, *["generic_decline"] * 9).until(1)
    assert api.banner(story.customer.id).json()["link"]

    async def revoke() -> None:
        async with world.services.engine.begin() as connection:
            [found] = await find_customers(connection, story.customer.id)
            await links.revoke(connection, found.id, story.invoice.id, story.now)

    world.run(revoke())
    assert api.banner(story.customer.id).json()["link"] is None
    assert api.banner(story.customer.id).json()["show"] == "banner"
    story.until(4)
    assert behind(api.banner(story.customer.id).json()["link"]) == digests(world, story)[-1]


def test_without_a_page_there_is_no_link(world: World, start_api: StartApi) -> None:
    """And nothing to sign it with is asked for."""
    story = subscriber(world, "generic_decline").until(1)
    said = start_api().banner(story.customer.id).json()
    assert (said["show"], said["link"]) == ("banner", None)


def test_an_answer_can_stand_in_a_page_as_it_is(world: World, api: ApiProcess) -> None:
    """Whatever a customer is called at the provider, it does not end the script it stands in."""
    story = subscriber(world, "generic_decline").until(1)
    answer = api.banner(story.customer.id, accept_language="fr")
    assert re.search("[<>&]", answer.text) is None
    assert answer.json()["text"].startswith("Votre paiement")
    assert json.loads(answer.text) == answer.json()


def test_it_may_be_kept_for_a_moment_by_who_asked(world: World, api: ApiProcess) -> None:
    """By an ETag, and by nobody in between; without a key nobody is told anything."""
    story = subscriber(world, "generic_decline").until(1)
    answer = api.banner(story.customer.id)
    assert answer.headers["cache-control"] == "private, max-age=10"
    assert answer.headers["vary"] == "Accept-Language"
    again = api.banner(story.customer.id, if_none_match=answer.headers["etag"])
    assert (again.status_code, again.text) == (304, "")
    assert api.banner("cus_nobody").json()["code"] == "unknown_customer"
    refused = api.client.get(f"/v1/banner/{story.customer.id}", headers={"Authorization": "Bearer wrong"})
    assert refused.status_code == 401


def test_no_link_stands_in_a_log(world: World, api: ApiProcess) -> None:
    """Nor a key, nor an address."""
    story = subscriber(world, "generic_decline").until(1)
    url = api.banner(story.customer.id).json()["link"]
    assert api.stop() == 0
    said = json.dumps(api.log)
    assert url.removeprefix(f"{PAGES.base}/p/") not in said
    assert KEYS[0] not in said


def test_the_script_needs_no_key_and_may_be_kept(api: ApiProcess) -> None:
    """Under its plain name for an hour, under its own for ever; another version's name is none."""
    api.client.headers.pop("authorization")
    plain = api.client.get("/v1/banner.js")
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert plain.headers["cache-control"] == "public, max-age=3600"
    assert len(plain.content) < 8000
    name = plain.headers["etag"].strip('"')
    named = api.client.get(f"/v1/{name}")
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert named.content == plain.content
    assert api.client.get("/v1/banner.js", headers={"if-none-match": f'"{name}"'}).status_code == 304
    assert api.client.get("/v1/banner.000000000000.js").status_code == 404
