"""A portal in this process beside a world, and a browser without JavaScript that visits it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import httpx

from emails.samples import BRAND
from portal.actions import Action
from portal.answers import Merchant
from portal.app import create_app
from portal.door import Door
from portal.forms import Binding
from portal.limits import Limits
from portal.offer import offer
from tests.portal.conftest import PAGES
from tests.portal.process import SECRET
from tests.scenarios.world import World

MERCHANT = Merchant(BRAND, "https://northwind.example/billing", "UTC", PAGES.base)
FORM = re.compile(r'<form class="action" method="post" action="([^"]+)">(.*?)</form>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')

Answered = TypeVar("Answered")


def visit(
    world: World,
    steps: Callable[[httpx.AsyncClient], Awaitable[Answered]],
    actions: Sequence[Action] | None = None,
    targets: Sequence[str] | None = None,
) -> Answered:
    """Go through `steps` with a browser; by default all that can be done, and to the simulated Stripe."""
    services = replace(world.services, team_channels=(), decides=False)  # as the portal's own
    door = Door(services.engine, PAGES.links, services.policy, services.clock)
    app = create_app(
        services,
        door,
        Binding([SECRET], services.clock),
        Limits([]),
        MERCHANT,
        offer(provider=True) if actions is None else actions,
        [world.stripe.url] if targets is None else targets,
    )

    async def go() -> Answered:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=PAGES.base) as client:
            return await steps(client)

    return world.run(go())


def forms(html: str) -> dict[str, dict[str, str]]:
    """The hidden fields of each action's form on a page, by the action's name."""
    return {action.rpartition("/")[2]: dict(HIDDEN.findall(inner)) for action, inner in FORM.findall(html)}


def click(world: World, token: str, action: str, *, at: str = "", **fields: str) -> httpx.Response:
    """Open a page, press a button, and have everything done that follows from it."""

    async def steps(client: httpx.AsyncClient) -> httpx.Response:
        page = await client.get(f"/p/{token}{at}")
        return await client.post(f"/p/{token}/{action}", data=forms(page.text)[action] | fields)

    answer = visit(world, steps)
    world.settle()
    return answer


def look(world: World, token: str, at: str = "") -> httpx.Response:
    """Open a page."""
    return visit(world, lambda client: client.get(f"/p/{token}{at}"))
