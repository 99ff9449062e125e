"""Carry out an import, or only try it: connections, the pace, and what a person is told of trouble."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from cli.database import snapshot_of
from cli.import_progress import progress
from cli.output import CommandError
from db import imports
from db.imports import Import
from db.session import create_engine
from providers.lookup import ProviderUnavailableError, RefusedError
from providers.pacing import Pace
from providers.stripe import SOURCE
from providers.stripe.accounts import connected_of
from providers.stripe.listing import PacedApi, StripeListing
from providers.stripe.mirror import A_PAGE_WITHIN
from providers.stripe.settings import StripeApi
from providers.systems import family_of
from settings import ImportSettings
from worker.importing import pages, run_import, stages
from worker.policy import policy
from worker.queues import Wakeup
from worker.rehearsing import Rehearsed
from worker.services import Services


async def take_over(settings: ImportSettings, source: str, rate: float, *, restart: bool) -> Import:
    """Go on with the import that was interrupted, or begin one. Raises CommandError."""
    api = paced(settings, source, rate)
    engine = create_engine(settings.database_url_sqlalchemy, name="import", pool_size=2)
    try:
        async with imports.alone(engine) as ours:
            if not ours:
                raise CommandError(
                    "Another import is running.", "`dunning import status` shows how far it has come."
                )
            async with engine.begin() as connection:
                begun = await imports.begin(connection, source, anew=restart)
            with progress() as told, _in_words():
                return await run_import(
                    without_workers(settings, engine),
                    StripeListing(api),
                    begun,
                    livemode=settings.livemode,
                    told=lambda stage, run: told(stage, run.counts),
                )
    finally:
        await engine.dispose()


async def rehearse(settings: ImportSettings, source: str, rate: float) -> Rehearsed:
    """Read everything, and fold it in memory. Raises CommandError."""
    listing = StripeListing(paced(settings, source, rate))
    tried = Rehearsed(source, policy(settings), datetime.now(UTC))
    with progress() as told, _in_words():
        for stage in await stages(listing, livemode=settings.livemode):
            async with aclosing(pages(stage, None)) as read:
                async for page in read:
                    async with snapshot_of(settings.database_url_sqlalchemy) as connection:
                        await tried.add(connection, stage.name, page)
                    told(stage.name, tried.counts)
    return tried


def paced(settings: ImportSettings, source: str, rate: float) -> PacedApi:
    """An account of Stripe's, asked so often a second at most. Raises CommandError without a key."""
    assert isinstance(settings, StripeApi)  # noqa: S101  # `settings.systems` has seen to it; tells mypy
    key = settings.api_key_of(source) if family_of(source) == SOURCE else None
    if key is None:
        raise CommandError(
            f"There is no key for {source}: Stripe cannot be asked.",
            "STRIPE_API_KEY is for the source stripe, STRIPE_ACCOUNTS for others: docs/settings.md.",
        )
    base, account = settings.stripe_api_base, connected_of(source)
    return PacedApi(key, Pace(rate), account=account, api_base=base, timeout=A_PAGE_WITHIN)


def without_workers(settings: ImportSettings, engine: AsyncEngine) -> Services:
    """For a command that folds facts: whatever becomes due by them is left to workers."""

    async def nobody(wakeup: Wakeup, ids: object) -> None:
        """Workers find what is due by themselves."""

    return Services(
        engine=engine,
        gateways={},
        policy=policy(settings),
        nudge=nobody,
        pages=settings.portal_url is not None,
        decides=False,
    )


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except ProviderUnavailableError as error:
        if error.forbidden or error.refused:
            raise CommandError(
                f"Stripe does not let this key read: {error}.", "docs/import.md names what it has to read."
            ) from error
        raise CommandError(
            f"Stripe could not be asked for some minutes: {error}.", "Say it again: it goes on from there."
        ) from error
    except RefusedError as error:
        raise CommandError(
            f"Stripe refuses to go on: {error.code}.", "`dunning import stripe --restart` begins anew."
        ) from error
