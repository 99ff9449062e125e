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
from cli.import_run import without_workers
from cli.output import CommandError
from db import differences, mismatches, reconciliations
from db.differences import Noted
from db.reconciliations import COMPARISON, EVENTS, LEASE, Kind, LostLeaseError, Run
from db.session import create_engine
from dunning.differing import Difference
from providers.lookup import ProviderUnavailableError, RefusedError
from providers.systems import billing_systems, family_of, system_of
from settings import ImportSettings
from worker.comparing import looks
from worker.filling import Missing, look_for_missing
from worker.usecases.monitor_access import difference
from worker.usecases.reconcile import TYPE, Failed, Reconciling, carry_on

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


def source_of(settings: ImportSettings, given: str | None) -> str:
    """Who is meant: the only one that can be asked, if none was named. Raises CommandError."""
    able = [source for each in billing_systems() for source in each.mirrored(settings)]
    # A connected account has no key of its own: whether it can be asked is known when it is.
    if given and family_of(given) in map(family_of, able):
        return given
    if not given and len(able) == 1:
        return able[0]
    if given or not able:
        raise CommandError(
            f"{title(given)} cannot be asked." if given else "No billing system can be asked.",
            "docs/settings.md has the keys, docs/providers.md says who can be asked.",
        )
    raise CommandError("Several billing systems can be asked.", f"Add --source {' or '.join(able)}.")


def title(source: str) -> str:
    """The name of a billing system, for people: `Stripe` of `stripe:de`."""
    return family_of(source).title()


async def standing(settings: ImportSettings, source: str) -> Standing:
    async with snapshot_of(settings.database_url_sqlalchemy) as connection:
        differ = [each for each in await differences.standing(connection) if each.source == source]
        return Standing(await reconciliations.read(connection, source), differ)


async def reconcile(settings: ImportSettings, source: str, since: datetime, *, events_only: bool) -> Found:
    """Take in what is missing, and mend what differs. Raises CommandError."""
    with progress(COUNTED) as told:
        return await _reconcile(settings, source, since, told, events_only=events_only)


async def _reconcile(
    settings: ImportSettings, source: str, since: datetime, told: Told, *, events_only: bool
) -> Found:
    async with _tools(settings, source, told) as tools:
        engine = tools.services.engine
        async with engine.begin() as connection:
            await reconciliations.ensure(connection, source)
        begun_at, events = await _carry_out(tools, EVENTS, since)
        compared: Mapping[str, int] = {}
        if not events_only:
            compared = (await _carry_out(tools, COMPARISON, None))[1].counts
        async with engine.connect() as connection:
            touched = [
                each
                for each in await differences.touched_since(connection, begun_at)
                if each.source == source
            ]
    types = {name.removeprefix(TYPE): many for name, many in events.counts.items() if name.startswith(TYPE)}
    return Found(since, events.counts.get("listed", 0), types, compared, touched)


async def _carry_out(tools: Reconciling, kind: Kind, since: datetime | None) -> tuple[datetime, Run]:
    """To its end; when it was begun, and as it stands then."""
    engine, source = tools.services.engine, tools.mirror.source
    taken = await _take(engine, source, kind, since)
    failed = await carry_on(tools, taken, within=math.inf)
    if failed:
        _in_words(failed, source)
    async with engine.connect() as connection:
        done = (await reconciliations.read(connection, source))[kind]
    return taken.begun_at or taken.created_at, done


async def _take(engine: AsyncEngine, source: str, kind: Kind, since: datetime | None) -> Run:
    """Ours, once nobody else has one under way: whoever was killed holds theirs for half a minute."""
    clock = asyncio.get_running_loop().time
    until = clock() + LEASE.total_seconds() + 5
    while True:
        async with engine.begin() as connection:
            row = (await reconciliations.read(connection, source))[kind]
            taken = await reconciliations.take(connection, row.id, anyway=True, since=since)
        if taken:
            return taken
        if clock() > until:
            raise CommandError(
                "Another reconciliation is under way.",
                "`dunning reconcile --list` shows it. Try again later.",
            )
        await asyncio.sleep(1)


async def rehearse(settings: ImportSettings, source: str, since: datetime, *, events_only: bool) -> Tried:
    """Ask for everything, and write nothing. Raises CommandError."""
    with progress(COUNTED) as told:
        async with _tools(settings, source, told) as tools:
            try:
                return await _rehearse(tools, since, told, events_only=events_only)
            except (ProviderUnavailableError, RefusedError) as error:
                _in_words(error, source)


async def _rehearse(tools: Reconciling, since: datetime, told: Told, *, events_only: bool) -> Tried:
    services, mirror = tools.services, tools.mirror
    tried = Tried(since, Missing())
    tried.events = await look_for_missing(
        services.engine, mirror, since, lambda found: told("events", {"listed": found.listed})
    )
    async with services.engine.connect() as connection:
        tried.differences += map(difference, await mismatches.each(connection, mirror.source, most=MOST))
    # What lists no events is looked at where something is open instead.
    whole, none = not events_only, events_only and mirror.kept_for is not None
    for look in [] if none else await looks(services, mirror, all_of_it=whole):
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
async def _tools(settings: ImportSettings, source: str, told: Told) -> AsyncIterator[Reconciling]:
    mirror = system_of(source).mirror(source, settings, by_hand=True)
    if mirror is None:
        raise CommandError(f"{title(source)} cannot be asked.", "docs/settings.md has its key.")
    engine = create_engine(settings.database_url_sqlalchemy, name="reconcile", pool_size=3)
    try:
        yield Reconciling(
            services=without_workers(settings, engine),
            mirror=mirror,
            zone=settings.timezone,
            by=BY,
            ripe_after=timedelta(0),
            told=lambda stage, run: told(stage, run.counts),
        )
    finally:
        await engine.dispose()


def _in_words(error: Failed, source: str) -> NoReturn:
    who = title(source)
    if isinstance(error, LostLeaseError):
        raise CommandError(
            "Another process has taken this over.", "Say it again: it goes on from there."
        ) from error
    if isinstance(error, RefusedError):
        raise CommandError(f"{who} refuses: {error.code}.", "Say it again: it begins anew.") from error
    if error.forbidden or error.refused:
        raise CommandError(
            f"{who} cannot be asked: it does not let this key read ({error}).",
            "docs/reconcile.md names what it has to read.",
        ) from error
    raise CommandError(f"{who} cannot be asked: {error}.", "Say it again: it goes on from there.") from error
