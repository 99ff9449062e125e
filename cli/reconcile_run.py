"""Carry out `dunning reconcile`, or only try it: connections, the pace, waiting for others, and trouble."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncEngine

from cli.database import snapshot_of
from cli.import_progress import Told, progress
from cli.import_run import paced, without_workers
from cli.output import CommandError
from db import differences, mismatches, reconciliations
from db.differences import Noted
from db.reconciliations import COMPARISON, EVENTS, LEASE, Kind, LostLeaseError, Run
from db.session import create_engine
from dunning.differing import Difference
from providers.lookup import ProviderUnavailableError, RefusedError
from providers.stripe import SOURCE
from providers.stripe.mirror import StripeMirror
from settings import ImportSettings
from worker.comparing import looks
from worker.filling import Missing, look_for_missing
from worker.usecases.monitor_access import difference
from worker.usecases.reconcile import TYPE, Failed, Reconciling, carry_on

RATE = 20.0  # reads a second
BY = "command"
COUNTED = (
    ("listed", "events"),
    ("subscriptions", "subscriptions"),
    ("invoices", "open invoices"),
    ("held", "unpaid here"),
)
# Of customers on a wrong side, a rehearsal reads so many.
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """What a reconciliation came to. `missed` counts by type the events that were taken in."""

    since: datetime
    listed: int
    missed: Mapping[str, int]
    compared: Mapping[str, int]
    differences: Sequence[Noted]

    @property
    def left(self) -> bool:
        """Whether something is for a person."""
        return any(each.settled_at is None for each in self.differences)


@dataclass(slots=True)
class Tried:
    """What one would come to. `anything`: it would do or report something."""

    since: datetime
    events: Missing
    compared: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    dry_run: bool = True

    @property
    def anything(self) -> bool:
        return bool(self.events.missed or self.differences)


@dataclass(frozen=True, slots=True)
class Standing:
    """Without asking anybody: the last of both kinds, and what differs still."""

    runs: Mapping[Kind, Run]
    differences: Sequence[Noted]


async def standing(settings: ImportSettings) -> Standing:
    async with snapshot_of(settings.database_url_sqlalchemy) as connection:
        return Standing(await reconciliations.read(connection), await differences.standing(connection))


async def reconcile(settings: ImportSettings, since: datetime, *, events_only: bool) -> Found:
    """Take in what is missing, and mend what differs. Raises CommandError."""
    with progress(COUNTED) as told:
        return await _reconcile(settings, since, told, events_only=events_only)


async def _reconcile(settings: ImportSettings, since: datetime, told: Told, *, events_only: bool) -> Found:
    async with _tools(settings, told) as tools:
        engine = tools.services.engine
        async with engine.begin() as connection:
            await reconciliations.ensure(connection, SOURCE)
        begun_at, events = await _carry_out(tools, EVENTS, since)
        compared: Mapping[str, int] = {}
        if not events_only:
            compared = (await _carry_out(tools, COMPARISON, None))[1].counts
        async with engine.connect() as connection:
            touched = await differences.touched_since(connection, begun_at)
    types = {name.removeprefix(TYPE): many for name, many in events.counts.items() if name.startswith(TYPE)}
    return Found(since, events.counts.get("listed", 0), types, compared, touched)


async def _carry_out(tools: Reconciling, kind: Kind, since: datetime | None) -> tuple[datetime, Run]:
    """To its end; when it was begun, and as it stands then."""
    engine = tools.services.engine
    taken = await _take(engine, kind, since)
    failed = await carry_on(tools, taken, within=math.inf)
    if failed:
        _in_words(failed)
    async with engine.connect() as connection:
        done = (await reconciliations.read(connection))[kind]
    return taken.begun_at or taken.created_at, done


async def _take(engine: AsyncEngine, kind: Kind, since: datetime | None) -> Run:
    """Ours, once nobody else has one under way: whoever was killed holds theirs for half a minute."""
    clock = asyncio.get_running_loop().time
    until = clock() + LEASE.total_seconds() + 5
    while True:
        async with engine.begin() as connection:
            row = (await reconciliations.read(connection))[kind]
            taken = await reconciliations.take(connection, row.id, anyway=True, since=since)
        if taken:
            return taken
        if clock() > until:
            raise CommandError(
                "Another reconciliation is under way.",
                "`dunning reconcile --list` shows it. Try again later.",
            )
        await asyncio.sleep(1)


async def rehearse(settings: ImportSettings, since: datetime, *, events_only: bool) -> Tried:
    """Ask for everything, and write nothing. Raises CommandError."""
    with progress(COUNTED) as told:
        async with _tools(settings, told) as tools:
            try:
                return await _rehearse(tools, since, told, events_only=events_only)
            except (ProviderUnavailableError, RefusedError) as error:
                _in_words(error)


async def _rehearse(tools: Reconciling, since: datetime, told: Told, *, events_only: bool) -> Tried:
    services, mirror = tools.services, tools.mirror
    tried = Tried(since, Missing())
    tried.events = await look_for_missing(
        services.engine, mirror, since, lambda found: told("events", {"listed": found.listed})
    )
    async with services.engine.connect() as connection:
        tried.differences += map(difference, await mismatches.each(connection, SOURCE, most=MOST))
    for look in [] if events_only else await looks(services, mirror):
        after: str | None = None
        while True:
            looked = await look.at(after)
            tried.differences += looked.differences
            tried.compared[look.name.partition(":")[0]] += looked.objects
            tried.compared["strangers"] += looked.strangers
            told(look.name, {"listed": tried.events.listed, **tried.compared})
            after = looked.last
            if after is None:
                break
    return tried


@asynccontextmanager
async def _tools(settings: ImportSettings, told: Told) -> AsyncIterator[Reconciling]:
    api = paced(settings, SOURCE, RATE)
    engine = create_engine(settings.database_url_sqlalchemy, name="reconcile", pool_size=3)
    try:
        yield Reconciling(
            services=without_workers(settings, engine),
            mirror=StripeMirror(api, livemode=settings.livemode),
            zone=settings.timezone,
            by=BY,
            ripe_after=timedelta(0),
            told=lambda stage, run: told(stage, run.counts),
        )
    finally:
        await engine.dispose()


def _in_words(error: Failed) -> NoReturn:
    if isinstance(error, LostLeaseError):
        raise CommandError(
            "Another process has taken this over.", "Say it again: it goes on from there."
        ) from error
    if isinstance(error, RefusedError):
        raise CommandError(f"Stripe refuses: {error.code}.", "Say it again: it begins anew.") from error
    if error.forbidden or error.refused:
        raise CommandError(
            f"Stripe cannot be asked: it does not let this key read ({error}).",
            "docs/reconcile.md names what it has to read.",
        ) from error
    raise CommandError(f"Stripe cannot be asked: {error}.", "Say it again: it goes on from there.") from error
