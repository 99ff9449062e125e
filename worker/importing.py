"""Read a running business stage by stage, the next page while this one is applied."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from db import alarms, imports
from db.imports import Import
from providers.mirror import Listed
from providers.stripe.listing import StripeListing
from worker.services import Services
from worker.usecases.take_over import take_over_page

Read = Callable[[str | None], Awaitable[Listed]]
# What a person is told after each page: the stage, and the import as it stands.
Told = Callable[[str, Import], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """One list, read from after an object on."""

    name: str
    read: Read


async def stages(listing: StripeListing, *, livemode: bool) -> list[Stage]:
    """In order: an invoice's case needs its subscription, by which its policy is chosen.

    Test clocks exist in test mode only. Raises ProviderUnavailableError.
    """
    clocks = [] if livemode else sorted(await listing.clocks())
    return [
        Stage("subscriptions", listing.subscriptions),
        *(Stage(f"subscriptions:{clock}", partial(listing.subscriptions, clock=clock)) for clock in clocks),
        Stage("invoices", listing.open_invoices),
    ]


async def pages(stage: Stage, after: str | None) -> AsyncGenerator[Listed]:
    """Each page after an object, the next one being asked for meanwhile."""
    coming: asyncio.Future[Listed] | None = asyncio.ensure_future(stage.read(after))
    try:
        while coming:
            page = await coming
            coming = asyncio.ensure_future(stage.read(page.last)) if page.last else None
            yield page
    finally:
        if coming:
            coming.cancel()


async def run_import(
    services: Services, listing: StripeListing, run: Import, *, livemode: bool, told: Told
) -> Import:
    """Go on with an import to its end; after an error or a kill it can be called again.

    Raises ProviderUnavailableError or RefusedError.
    """
    for stage in await stages(listing, livemode=livemode):
        if run.is_through(stage.name):
            continue
        async with aclosing(pages(stage, run.cursors.get(stage.name))) as read:
            async for page in read:
                run = await take_over_page(services, run, stage.name, page)
                told(stage.name, run)
    async with services.engine.begin() as connection:
        if run.counts.get("cases"):
            facts = {name: run.counts.get(name, 0) for name in ("cases", "uncalled")}
            await alarms.sound(connection, "import", run.id, facts)
        return await imports.finish(connection, run)
