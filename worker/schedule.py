"""The scheduler process: every tick, hand out what is due. It decides nothing and may run twice."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import uuid
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from db import heartbeats
from db.session import create_engine
from db.sweep import Found, Swept, sweep
from metrics import instruments
from metrics.listener import listen
from serving.watchdog import Watchdog
from settings import SchedulerSettings
from worker import breaker, reconciling
from worker.broker import QueueNudge, create_broker
from worker.queues import BILLING, CASES, EVENTS, MAIL, TEAM, WEBHOOKS, Wakeup
from worker.readiness import until_ready
from worker.retention import Retention, keep
from worker.services import Clock, Nudge, wall_clock
from worker.watching import Watch

log = structlog.get_logger()

POOL_SIZE = 2
# Seconds. A tick has some ten statements of at most as many seconds, and the broker may be away as well.
TICK_WITHIN = 150
FAREWELL_WITHIN = 3.0
# Seconds between two looks at a queue for which there is more work: what one tick hands out lasts for less
# than a second.
ROOM_EVERY = 0.1


# What is found, and who is woken for it.
WOKEN: Mapping[Found, Wakeup] = {
    "events": EVENTS,
    "mail": MAIL,
    "team": TEAM,
    "billing": BILLING,
    "customers": CASES,
    "endpoints": WEBHOOKS,
}


async def tick(
    engine: AsyncEngine,
    nudge: Nudge,
    *,
    clock: Clock,
    delay: float,
    full: Collection[Wakeup] = (),
    only: Collection[Wakeup] | None = None,
) -> Swept:
    """One look for due work; returns what was handed out. The ids go out after the commit.

    Whoever is `full` of work gets none: rows that are due stay due. With `only`, between two ticks, the look
    is for more of theirs alone.
    """
    waited_for = WOKEN.values() if only is None else only
    wanted = frozenset(kind for kind, each in WOKEN.items() if each in waited_for and each not in full)
    async with engine.begin() as connection:
        found = await sweep(connection, now=clock(), delay=delay, wanted=wanted)
    if found.retired:
        log.error("event.retired", rows=found.retired)
    for kind, wakeup in WOKEN.items():
        await nudge(wakeup, getattr(found, kind))
    return found


class SchedulerProcess:
    """Ticks until it is told to stop. A database that is away is a missed tick, which catches up."""

    def __init__(self, settings: SchedulerSettings) -> None:
        self._settings = settings
        self._name = f"scheduler-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._stop = asyncio.Event()
        self._watchdog = Watchdog("scheduler", log.critical)
        self._since_tick: int | None = None  # in seconds; before the first there is none to miss

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        self._watchdog.start()
        beating = asyncio.create_task(self._watchdog.beat_forever(self._trouble))
        try:
            if await until_ready(self._settings.database_url_sqlalchemy, self._stop.is_set):
                await self._work()
        finally:
            beating.cancel()
        log.info("scheduler.stopped")
        return 0

    def _asked_to_stop(self) -> None:
        self._watchdog.stopping()
        self._stop.set()

    def _trouble(self) -> str | None:
        """Asked each second. While the machine sleeps nobody asks, and no tick is missed by that."""
        if self._since_tick is None:
            return None
        self._since_tick += 1
        return f"no tick has ended for {TICK_WITHIN} s" if self._since_tick > TICK_WITHIN else None

    async def _work(self) -> None:
        engine = self._engine("scheduler")
        broker = create_broker(self._settings.queue_url, empties=True)
        log.info("scheduler.started", tick_seconds=self._settings.tick_seconds)
        try:
            async with self._watched():
                await self._tick_until_stopped(engine, QueueNudge(broker))
            await self._farewell(engine)
        finally:
            await engine.dispose()
            broker.close()

    async def _farewell(self, engine: AsyncEngine) -> None:
        try:
            async with asyncio.timeout(FAREWELL_WITHIN), engine.begin() as connection:
                await heartbeats.stopped(connection, self._name)
        except (OSError, SQLAlchemyError) as error:
            log.warning("heartbeat.missed", error=type(error).__name__)

    def _engine(self, name: str) -> AsyncEngine:
        settings = self._settings
        return create_engine(
            settings.database_url_sqlalchemy,
            name=name,
            pool_size=POOL_SIZE,
            timeouts=settings.session_timeouts,
        )

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Whoever collects metrics from this scheduler hears of the whole installation as well."""
        settings = self._settings
        if settings.metrics_address is None:
            yield
            return
        engine = self._engine("metrics")
        watch = Watch(engine, settings.queue_url)
        listen("scheduler", settings.metrics_address, watch.whole)
        reading = asyncio.create_task(watch.run())
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait([reading])
            await engine.dispose()

    async def _tick_until_stopped(self, engine: AsyncEngine, nudge: QueueNudge) -> None:
        beaten_at = watched_at = 0.0
        limits = breaker.limits(self._settings)
        clock = asyncio.get_running_loop().time
        kept = Retention(keep(self._settings), clock)
        only: Collection[Wakeup] | None = None
        while not self._stop.is_set():
            self._since_tick = 0
            more: frozenset[Wakeup] = frozenset()
            try:
                delay, full = self._settings.sweep_delay_seconds, await nudge.full()
                found = await tick(engine, nudge, clock=wall_clock, delay=delay, full=full, only=only)
                more = full | {WOKEN[kind] for kind in found.more}
                now = clock()
                if now - beaten_at >= heartbeats.EVERY.total_seconds():
                    await self._beat(engine, found, kept.late)
                    beaten_at = now
                if now - watched_at >= breaker.EVERY.total_seconds():
                    watched_at = now
                    await breaker.watch(engine, nudge, limits)
                    await reconciling.hand_out(engine, nudge)
                await kept.look(engine)
                instruments.ticks.labels("done").inc()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                instruments.ticks.labels("missed").inc()
                log.warning("tick.missed", error=type(error).__name__)
            if only is None:
                next_at = clock() + self._settings.tick_seconds
            only = await self._pause(nudge, more, next_at)

    async def _beat(self, engine: AsyncEngine, found: Swept, late: timedelta | None) -> None:
        kept_too_long = late.total_seconds() if late else 0.0
        info = {"pid": os.getpid(), "handed_out": found.total, "kept_too_long": kept_too_long}
        async with engine.begin() as connection:
            await heartbeats.beat(connection, self._name, "scheduler", info)

    async def _pause(
        self, nudge: QueueNudge, more: frozenset[Wakeup], until: float
    ) -> frozenset[Wakeup] | None:
        """Wait for the next tick (None), or until there is room for what there is more of (whose)."""
        clock = asyncio.get_running_loop().time
        while not self._stop.is_set() and (left := until - clock()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, ROOM_EVERY) if more else left):
                    await self._stop.wait()
            if more and clock() < until and (room := more - await nudge.full()):
                return room
        return None


def run(settings: SchedulerSettings) -> int:
    """Run a scheduler until SIGTERM or SIGINT; returns the exit code."""
    return asyncio.run(SchedulerProcess(settings).run())
