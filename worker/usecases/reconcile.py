"""Reconcile with a billing system: one run of one kind, as far as it comes, resumed by whoever comes next.

Each hour its events, and whoever's access and money disagree; each night everything else, which covers what
was never made an event of. Of one that lists no events, what is open is compared each hour instead. A
difference is looked at once more after two minutes before it counts as one: by then, news that was on its
way has come.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, alarms, differences, gaps, mismatches, reconciliations
from db.differences import Noted
from db.reconciliations import COMPARISON, EVENTS, RENEW_EVERY, LostLeaseError, Run
from providers.lookup import ProviderUnavailableError, RefusedError
from providers.mirror import Mirror
from worker.comparing import Look, looks
from worker.filling import rows_of
from worker.lease import renewed
from worker.queues import RECONCILE
from worker.services import Services
from worker.usecases.look_again import look_again
from worker.usecases.monitor_access import monitor_access, over_by_now

log = structlog.get_logger()

# Seconds that a wake-up works on; then another goes on, so that nothing else waits for long.
WITHIN = 20.0
EVERY = timedelta(hours=1)
AT_NIGHT = time(3)
# Events are made late, and clocks differ.
OVERLAP = timedelta(hours=1)
# Of the days for which events are kept, so that the oldest are not gone while they are being listed.
SPARED = timedelta(hours=1)
RIPE_AFTER = timedelta(minutes=2)
AWAY = timedelta(minutes=5)
SLOWER = timedelta(minutes=1)
# A key that may not read does not learn to by being used.
NOT_ALLOWED = timedelta(hours=1)
AT_ONCE = 10
# Begins the counts of events by their type.
TYPE = "type:"
# Of the customers a call is about, so many are named.
NAMED = 5

# What somebody who waits is told after each page: the stage, and the run as it stands.
Told = Callable[[str, Run], None]
Failed = ProviderUnavailableError | RefusedError | LostLeaseError


@dataclass(frozen=True, slots=True)
class Reconciling:
    """What a run is made with. `by` is whom its differences are noted by, `zone` has the merchant's nights.

    `ripe_after`: how old a difference must be before it is looked at again.
    """

    services: Services
    mirror: Mirror
    zone: ZoneInfo
    by: str = "schedule"
    ripe_after: timedelta = RIPE_AFTER
    told: Told = lambda stage, run: None


async def reconcile_each(
    services: Services, tools: Mapping[str, Reconciling], ids: Sequence[int], *, within: float = WITHIN
) -> None:
    """Do what is due of these rows, as far as the time goes. What is left is found by the scheduler.

    `tools` are by source; one without any has lost its key, or was taken out of the settings.
    """
    for row_id in ids:
        async with services.engine.begin() as connection:
            run = await reconciliations.take(connection, row_id)
            if run is not None and run.source not in tools:
                await reconciliations.give_up(connection, run, "nobody to ask", NOT_ALLOWED, anew=False)
                continue
        if run is None:
            continue
        try:
            await carry_on(tools[run.source], run, within=within)
        except Exception as error:
            # Whatever it is: one at a time is at work, so the others would wait for it for ever.
            log.exception("reconciliation.failed", kind=run.kind, error=type(error).__name__)
            await _postpone(services, run, type(error).__name__, AWAY, anew=False)
        if run.kind == EVENTS:
            await _find_accounts(services, tools, run.source)


async def _find_accounts(services: Services, tools: Mapping[str, Reconciling], family: str) -> None:
    """Accounts that are connected to this one are known by their customers: they are reconciled with too."""
    async with services.engine.begin() as connection:
        for source in await accounts.accounts_of(connection, family):
            if source in tools:
                await reconciliations.ensure(connection, source)


async def carry_on(tools: Reconciling, run: Run, *, within: float) -> Failed | None:
    """Go on with a run that is ours. Why it could not is written down with it, and returned."""
    engine, until = tools.services.engine, asyncio.get_running_loop().time() + within
    hold = partial(reconciliations.renew, run=run)
    try:
        async with renewed(engine, hold, run.kind, every=RENEW_EVERY):
            await _through(tools, run, until)
    except LostLeaseError as error:
        log.warning("reconciliation.lost", kind=run.kind)
        return error
    except (ProviderUnavailableError, RefusedError) as error:
        wait, anew = _how_long(error)
        log.warning("reconciliation.postponed", kind=run.kind, error=str(error), seconds=wait.total_seconds())
        await _postpone(tools.services, run, str(error), wait, anew=anew)
        return error
    return None


async def _postpone(services: Services, run: Run, error: str, wait: timedelta, *, anew: bool) -> None:
    async with services.engine.begin() as connection:
        if await reconciliations.renew(connection, run):
            await reconciliations.give_up(connection, run, error, wait, anew=anew)


def _how_long(error: ProviderUnavailableError | RefusedError) -> tuple[timedelta, bool]:
    """How long to wait before going on, and whether it has to begin anew."""
    if isinstance(error, RefusedError):
        # How far it had come is not known there any more.
        return AWAY, True
    if error.forbidden or error.refused:
        return NOT_ALLOWED, False
    return (SLOWER if error.passing else AWAY), False


async def _through(tools: Reconciling, run: Run, until: float) -> None:
    engine, clock = tools.services.engine, asyncio.get_running_loop().time
    for name, step in await _stages(tools, run):
        while not run.is_through(name):
            late = clock() > until
            came = timedelta(0) if late else await step(tools, run, run.cursors.get(name))
            if isinstance(came, timedelta):
                async with engine.begin() as connection:
                    await reconciliations.put_down(connection, run, came)
                await tools.services.nudge(RECONCILE, [run.id] if late else [])
                return
            run = came
            tools.told(name, run)
    async with engine.begin() as connection:
        await _call_for_people(connection)
        wait = EVERY if run.kind == EVENTS else until_night(tools.services.clock(), tools.zone)
        run = await reconciliations.succeed(connection, run, wait)
    log.info("reconciliation.done", kind=run.kind, **run.counts)


# One page, written with the cursor that has passed it. A length of time: what is left can be done after that.
Step = Callable[[Reconciling, Run, str | None], Awaitable[Run | timedelta]]


async def _stages(tools: Reconciling, run: Run) -> list[tuple[str, Step]]:
    if run.kind == EVENTS and tools.mirror.kept_for is not None:
        return [("events", _events), ("access", _access)]
    hourly = run.kind == EVENTS
    found = await looks(tools.services, tools.mirror, all_of_it=not hourly)
    stages: list[tuple[str, Step]] = [(look.name, partial(_look, look)) for look in found]
    return [*stages, ("again", _again), *([("access", _access)] if hourly else [])]


async def _events(tools: Reconciling, run: Run, after: str | None) -> Run:
    if run.since is None:
        run = await _begin(tools, run)
    read = await tools.mirror.events(run.since or run.created_at, after)
    async with tools.services.engine.begin() as connection:
        filled = await gaps.fill(connection, rows_of(run.source, read))
        envelopes = [each.envelope for each in read.told]
        types = Counter(f"{TYPE}{each.type}" for each in envelopes if each.event_id in filled)
        counted = {"listed": read.listed, "filled": len(filled), **types}
        return await reconciliations.advance(connection, run, "events", read.last, counted)


async def _begin(tools: Reconciling, run: Run) -> Run:
    """From where the last one had come to; what Stripe does not tell any more, only a comparison shows."""
    mark = run.high_water - OVERLAP if run.high_water else run.created_at
    kept_for = tools.mirror.kept_for or timedelta(0)
    oldest = (run.begun_at or run.created_at) - kept_for + SPARED
    async with tools.services.engine.begin() as connection:
        if mark < oldest:
            log.error("reconciliation.out_of_reach", since=mark.isoformat(), reach_days=kept_for.days)
            await reconciliations.hurry(connection, run.source, [COMPARISON])
        return await reconciliations.begin_at(connection, run, max(mark, oldest))


async def _access(tools: Reconciling, run: Run, after: str | None) -> Run:
    async with tools.services.engine.connect() as connection:
        found = await mismatches.each(connection, run.source, after=int(after or 0), most=AT_ONCE)
    became = await monitor_access(tools.services, tools.mirror, found, tools.by)
    last = str(found[-1].id) if len(found) == AT_ONCE else None
    gone = 0 if last else await over_by_now(tools.services)
    counted = {f"access_{status}": many for status, many in became.items()} | {"access_gone": gone}
    async with tools.services.engine.begin() as connection:
        return await reconciliations.advance(connection, run, "access", last, counted)


async def _look(look: Look, tools: Reconciling, run: Run, after: str | None) -> Run:
    looked = await look.at(after)
    counted = {
        look.name.partition(":")[0]: looked.objects,
        "found": len(looked.differences),
        "strangers": looked.strangers,
        "unreadable": looked.unreadable,
    }
    async with tools.services.engine.begin() as connection:
        await differences.note(connection, run.source, looked.differences, tools.by)
        return await reconciliations.advance(connection, run, look.name, looked.last, counted)


async def _again(tools: Reconciling, run: Run, after: str | None) -> Run | timedelta:
    done = int(after or 0)
    async with tools.services.engine.connect() as connection:
        found = await differences.ripe(connection, run.source, after=done, age=tools.ripe_after, most=AT_ONCE)
        wait = None if found else await differences.ripe_in(connection, run.source, tools.ripe_after)
    if wait is not None:
        return wait
    became = await look_again(tools.services, tools.mirror, found)
    async with tools.services.engine.begin() as connection:
        cursor = str(found[-1].id) if found else None
        return await reconciliations.advance(connection, run, "again", cursor, became)


def until_night(now: datetime, zone: ZoneInfo) -> timedelta:
    """From now to the merchant's next three o'clock in the morning."""
    local = now.astimezone(zone)
    day = local.date() + timedelta(days=local.time() >= AT_NIGHT)
    return datetime.combine(day, AT_NIGHT, zone).astimezone(UTC) - now


async def _call_for_people(connection: AsyncConnection) -> None:
    """One call about all that is for a person, and was not told of within a day."""
    found = await differences.to_tell(connection)
    if found:
        await alarms.sound(connection, "differences", found[0].id, _facts(found))


def _facts(found: Sequence[Noted]) -> dict[str, Any]:
    sides = Counter(next(iter(each.differs)) if each.kind == "access" else "other" for each in found)
    return {
        "locked": sides["paid_but_locked"],
        "unpaid": sides["open_but_unpaid"],
        "other": sides["other"],
        "customers": list(dict.fromkeys(each.customer for each in found))[:NAMED],
    }
