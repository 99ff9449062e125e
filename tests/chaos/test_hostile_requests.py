"""F18: thousands of changed requests at every door; whoever has no right gets nothing, and nothing breaks.

Requests are mutated by a seed from genuine ones: paths, queries, methods, headers, bodies byte by byte and
JSON place by place, missing and repeated fields, clients that leave early. The short form sends some dozens
to each route, the long form ten thousand.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from itertools import count

import asyncpg  # type: ignore[import-untyped]  # ships no annotations
import pytest
from starlette.types import ASGIApp

from portal.app import create_app
from portal.door import Door
from portal.forms import Binding
from portal.limits import Limits
from portal.offer import offer
from sandbox.inbox import Inbox
from sandbox.stripe import custom_schedule
from settings.urls import for_asyncpg
from tests.chaos.conftest import Tell
from tests.chaos.doors import DOORS, Campaign, form, holds_key, is_bound, receiver, with_key
from tests.chaos.hostile import Sent, in_bytes
from tests.console.team_api import team_api
from tests.console.test_team_document import served
from tests.console.worlds import world_on
from tests.portal.conftest import PAGES, link_to
from tests.portal.process import SECRET
from tests.portal.test_attacks import state
from tests.portal.visits import MERCHANT, forms, look
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

SEED = 20261128
# What goes with each kind of request that changes something, where it goes through.
BODIES = {
    "pause": b'{"reason": "asked", "days": 3}',
    "extend": b'{"reason": "asked", "days": 3}',
    "promise": b'{"reason": "asked", "until": "2026-02-04"}',
    "hand-over": b'{"reason": "asked", "to": "grace"}',
    "endpoints": b'{"url": "https://shop.example/hooks", "events": ["access.changed"], "about": "shop"}',
    "rotate": b'{"overlap_hours": 24}',
    "replay": b'{"since": "2026-01-01T00:00:00Z", "event": "access.changed", "failed": true}',
}
# Of the right shape, and nobody's.
STRANGE_KEY = "dk_" + "x" * 32
ANY_BODY = b'{"reason": "they asked for it", "by": "maria"}'


@pytest.fixture
def times(long: bool) -> int:
    """Requests to each route."""
    return 10_000 if long else 60


@pytest.fixture
def world(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world whose rows stand in the test's database."""
    with world_on(database_url, inbox) as world:
        yield world


def test_webhooks(database_url: str, redis_url: str, times: int, tell: Tell) -> None:
    """Forged ones store nothing; odd ones that are signed are stored or refused, and never a 5xx."""
    app = receiver(for_asyncpg(database_url), redis_url)
    campaign = Campaign(app, random.Random(SEED), times)  # noqa: S311 -- a seed, not a secret

    async def run() -> list[int]:
        app.start()
        inbox = await asyncpg.connect(for_asyncpg(database_url))
        for make, genuine in DOORS:
            await campaign.forge(make(), genuine)
        stored = [await inbox.fetchval("SELECT count(*) FROM inbox")]
        for make, _ in DOORS:
            await campaign.send(lambda make=make: make(in_bytes(campaign.chance, make().body)))
        for path in (b"/healthz", b"/readyz", b"/metrics"):
            await campaign.forge(Sent("GET", path), lambda sent: sent.path in (b"/healthz", b"/readyz"))
        stored.append(await inbox.fetchval("SELECT count(*) FROM inbox"))
        await inbox.close()
        await app.close()
        return stored

    forged, signed = asyncio.run(run())
    tell("F18", door="receiver", seed=SEED, stored=forged, **campaign.figures())
    assert campaign.faults == []
    assert campaign.accepted == []
    assert forged == 0
    assert signed > 0


def test_the_api(world: World, database_url: str, times: int, tell: Tell) -> None:
    """Without a key nobody learns or changes anything; with one, odd requests are the asker's fault."""
    story = subscriber(world, "do_not_honor", retries=custom_schedule(40)).until(1)
    real = {"customer": story.customer.id, "invoice": story.invoice.id, "endpoint": "1", "version": "none"}
    with team_api(database_url) as api:
        campaign = Campaign(api.app, random.Random(SEED), times)  # noqa: S311 -- a seed, not a secret
        names = count()
        before = state(world)

        async def forge() -> None:
            for method, path in served(list(api.app.routes)):
                if path.startswith("/v1/") and "banner." not in path and "openapi" not in path:
                    for key in (api.key + "x", STRANGE_KEY):
                        await campaign.forge(operation(method, path, key), holds_key(api.key))

        async def spoil() -> None:
            for method, path in served(list(api.app.routes)):
                genuine = operation(method, path, api.key)
                change = with_key(campaign.chance, genuine, api.key)
                await campaign.send(change)

        def operation(method: str, path: str, key: str) -> Sent:
            body = BODIES.get(path.rpartition("/")[2], ANY_BODY) if method == "POST" else b""
            headers = (
                (b"authorization", b"Bearer " + key.encode()),
                (b"content-type", b"application/json"),
                (b"idempotency-key", b"name-%d" % next(names)),
                (b"accept-language", b"de, en;q=0.5"),
            )
            return Sent(method, path.format_map(real).encode(), headers, body)

        api.run(forge)
        forged = state(world)
        api.run(spoil)
    tell("F18", door="api", seed=SEED, changed=int(forged != before), **campaign.figures())
    assert campaign.faults == []
    assert campaign.accepted == []
    assert forged == before


def test_the_page(world: World, times: int, tell: Tell) -> None:
    """Without the link and its field nothing is changed or asked of Stripe; with both, nothing breaks."""
    story = subscriber(world, *["generic_decline"] * 9).until(1)
    token = link_to.__wrapped__(world)(story).token
    page = look(world, token)
    names = [*forms(page.text), "language", "fresh", "settle", "confirm", "come_back", "confirm-payer"]
    bound = next(iter(forms(page.text).values()))["bound"]
    fields = {"bound": bound, "click": "x" * 22, "day": "2026-02-04", "address": "a@b.example"}
    fields["language"] = "de"
    campaign = Campaign(portal(world), random.Random(SEED), times)  # noqa: S311 -- a seed, not a secret
    read = [Sent("GET", f"/p/{token}".encode(), query=b"back=1"), Sent("GET", b"/assets/portal.css")]
    read += [Sent("GET", b"/healthz"), Sent("GET", b"/readyz")]

    async def forge() -> None:
        for name in names:
            await campaign.forge(form(token, name, **fields), is_bound(token, bound))

    async def spoil() -> None:
        for each in (*read, *(form(token, name, **fields) for name in names)):
            await campaign.send(lambda each=each: with_key(campaign.chance, each, "none")())

    before, asked = state(world), len(world.stripe.requests)
    world.run(forge())
    changed, asks = state(world) != before, len(world.stripe.requests) - asked
    world.run(spoil())
    tell("F18", door="portal", seed=SEED, changed=int(changed), stripe_calls=asks, **campaign.figures())
    assert campaign.faults == []
    assert not changed
    assert asks == 0


def portal(world: World) -> ASGIApp:
    """The page as its own process serves it, but for the limits, whose clock runs a minute at each look."""
    door = Door(world.services.engine, PAGES.links, world.services.policy, world.services.clock)
    return create_app(
        world.services,
        door,
        Binding([SECRET], world.services.clock),
        Limits([], clock=count(0, 60).__next__),
        MERCHANT,
        offer(provider=True),
        [world.stripe.url],
    )
