"""The worker process: Dramatiq's worker threads and one event loop, a heartbeat, a watchdog, a clean stop.

It runs Dramatiq's `Worker` itself instead of the `dramatiq` command, whose child processes outlive a
killed parent and hang when a whole process group is told to stop. To use more cores, start more of these.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import uuid
from concurrent.futures import Future, wait
from typing import Any

import dramatiq
import structlog
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread
from sqlalchemy.exc import SQLAlchemyError

from db import endpoints, heartbeats
from metrics.listener import listen
from metrics.messages import Measuring
from outbound.post import Poster
from settings import WorkerSettings
from tracing import spans
from worker import actors, build
from worker.broker import RedisNudge, create_broker
from worker.courier import Courier
from worker.endpoints import endpoints_of
from worker.services import Services
from worker.usecases.reconcile import Reconciling

log = structlog.get_logger()

# Seconds.
STOP_WITHIN = 20.0
LOOP_ANSWERS_WITHIN = 30.0

# Milliseconds. The longest an idle worker waits between two looks at a queue; a mail passes two queues.
IDLE_LOOK_EVERY = 100
# Less than the loop's time: a database that does not answer must not pass for a loop that does not.
DATABASE_ANSWERS_WITHIN = 15.0
FAREWELL_WITHIN = 3.0


class WorkerProcess:
    """One worker from start to stop. `run` blocks until a stop is asked for and returns the exit code."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._broker = create_broker(settings.redis_url.get_secret_value(), Measuring())
        self._parts: tuple[Services, Courier, Poster, Reconciling] | None = None
        # Those of the settings, until the first beat has written them down.
        self._endpoints = endpoints_of(settings) if "webhooks" in settings.worker_queues else None
        self._stop = threading.Event()
        self._name = f"worker-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        actors.declare(self._broker, self._get_parts)

    def _get_parts(self) -> tuple[Services, Courier, Poster, Reconciling]:
        """Built on the loop, by whichever message comes first; the loop is one thread, so only once."""
        if self._parts is None:
            nudge = RedisNudge(self._broker)
            services = build.services(self._settings, nudge)
            self._parts = (
                services,
                build.courier(self._settings),
                build.poster(self._settings),
                build.reconciling(self._settings, services),
            )
        return self._parts

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        queues: set[str] = set(self._settings.worker_queues)
        worker = dramatiq.Worker(
            self._broker,
            queues=queues,
            worker_threads=self._settings.worker_threads,
            worker_timeout=IDLE_LOOK_EVERY,
        )
        worker.start()
        spans.start("worker", self._settings.traces_url)
        listen("worker", self._settings.metrics_address)
        log.info("worker.started", queues=sorted(queues), threads=self._settings.worker_threads)
        try:
            self._watch(_loop())
        finally:
            log.info("worker.stopping")
            worker.stop(timeout=int(STOP_WITHIN * 1000))
            self._broker.close()
            spans.stop()
        log.info("worker.stopped")
        return 0

    def _watch(self, loop: EventLoopThread) -> None:
        """Beat until asked to stop. A loop that no longer answers makes the process worse than absent."""
        while not self._stop.is_set():
            beat: Future[None] = asyncio.run_coroutine_threadsafe(self._beat(), loop.loop)
            wait([beat], timeout=LOOP_ANSWERS_WITHIN)
            if not beat.done():
                log.critical("worker.stuck", seconds=LOOP_ANSWERS_WITHIN)
                os._exit(1)
            if error := beat.exception():
                # The database is away: the beat is missed, which is what others should see.
                log.warning("heartbeat.missed", error=type(error).__name__)
            self._stop.wait(heartbeats.EVERY.total_seconds())
        wait([asyncio.run_coroutine_threadsafe(self._farewell(), loop.loop)], timeout=2 * FAREWELL_WITHIN)

    async def _beat(self) -> None:
        services, *_ = self._get_parts()
        info: dict[str, Any] = {"pid": os.getpid(), "queues": sorted(self._settings.worker_queues)}
        async with asyncio.timeout(DATABASE_ANSWERS_WITHIN), services.engine.begin() as connection:
            await heartbeats.beat(connection, self._name, "worker", info)
            if self._endpoints is not None:
                await endpoints.keep_to(connection, self._endpoints)
        self._endpoints = None

    async def _farewell(self) -> None:
        services, *_ = self._get_parts()
        try:
            async with asyncio.timeout(FAREWELL_WITHIN), services.engine.begin() as connection:
                await heartbeats.stopped(connection, self._name)
        except (OSError, SQLAlchemyError) as error:
            log.warning("heartbeat.missed", error=type(error).__name__)


def _loop() -> EventLoopThread:
    loop = get_event_loop_thread()
    if loop is None:
        raise RuntimeError("the AsyncIO middleware has not started its event loop")
    return loop


def run(settings: WorkerSettings) -> int:
    """Run a worker until SIGTERM or SIGINT; returns the exit code. Raises SettingsError before it starts."""
    build.check(settings)
    return WorkerProcess(settings).run()
