"""The worker process: Dramatiq's worker threads and one event loop, a heartbeat, a watchdog, a clean stop.

It runs Dramatiq's `Worker` itself instead of the `dramatiq` command, whose child processes outlive a
killed parent and hang when a whole process group is told to stop. To use more cores, start more of these.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future, wait
from typing import Any

import dramatiq
import structlog
import uvloop
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread
from dramatiq.common import join_all
from sqlalchemy.exc import SQLAlchemyError

from db import endpoints, heartbeats, reconciliations
from metrics.listener import listen
from metrics.messages import Measuring
from outbound.post import Poster
from serving.watchdog import RESTART, Watchdog, resident_megabytes
from settings import WorkerSettings
from tracing import spans
from worker import actors, build
from worker.at_work import AtWork
from worker.broker import QueueNudge, create_broker
from worker.courier import Courier
from worker.endpoints import endpoints_of
from worker.readiness import until_ready
from worker.services import Services
from worker.usecases.reconcile import Reconciling

log = structlog.get_logger()

# Seconds. The first counts from the request on, whatever the farewell takes of it. After both all is over,
# before the watchdog cuts it short.
STOP_WITHIN = 18.0
LEAVE_WITHIN = 3.0

# Milliseconds. The longest an idle thread waits before it looks whether it is to end. How queues in Redis are
# waited for: `worker.consumer`.
IDLE_LOOK_EVERY = 100
# Seconds.
DATABASE_ANSWERS_WITHIN = 15.0
FAREWELL_WITHIN = 3.0


class WorkerProcess:
    """One worker from start to stop. `run` blocks until a stop is asked for and returns the exit code."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._broker = create_broker(settings.queue_url, Measuring())
        self._parts: tuple[Services, Courier, Poster, Mapping[str, Reconciling]] | None = None
        # Those of the settings, and who is to be reconciled with, until the first beat has written them down.
        self._endpoints = endpoints_of(settings) if "webhooks" in settings.worker_queues else None
        self._mirrored = build.mirrored(settings)
        self._stop = threading.Event()
        self._at_work = AtWork()
        self._watchdog = Watchdog("worker", log.critical)
        self._exit_code = 0
        self._name = f"worker-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        actors.declare(self._broker, self._get_parts, self._at_work)

    def _get_parts(self) -> tuple[Services, Courier, Poster, Mapping[str, Reconciling]]:
        """Built on the loop, by whichever message comes first; the loop is one thread, so only once."""
        if self._parts is None:
            nudge = QueueNudge(self._broker)
            services = build.services(self._settings, nudge)
            self._parts = (
                services,
                build.courier(self._settings),
                build.poster(self._settings),
                build.reconciling(self._settings, services),
            )
        return self._parts

    def run(self) -> int:
        # Dramatiq makes its loop by the policy there is.
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        if not asyncio.run(until_ready(self._settings.database_url_sqlalchemy, self._stop.is_set)):
            log.info("worker.stopped")
            return 0
        queues: set[str] = set(self._settings.worker_queues)
        worker = dramatiq.Worker(
            self._broker,
            queues=queues,
            worker_threads=self._settings.worker_threads,
            worker_timeout=IDLE_LOOK_EVERY,
        )
        worker.start()
        loop = _loop()
        self._watchdog.start(loop.ident)
        spans.start("worker", self._settings.traces_url)
        listen("worker", self._settings.metrics_address)
        # What is loaded by now stays for good: the collector need not walk it in the middle of a batch.
        gc.collect()
        gc.freeze()
        log.info("worker.started", queues=sorted(queues), threads=self._settings.worker_threads)
        living = asyncio.run_coroutine_threadsafe(self._live(worker), loop.loop)
        living.add_done_callback(self._no_longer_living)
        try:
            self._stop.wait()
        finally:
            until = time.monotonic() + STOP_WITHIN
            self._watchdog.stopping()
            log.info("worker.stopping")
            living.cancel()
            wait([asyncio.run_coroutine_threadsafe(self._farewell(), loop.loop)], timeout=2 * FAREWELL_WITHIN)
            self._end(worker, loop, until - time.monotonic())
            self._broker.close()
            spans.stop()
        log.info("worker.stopped")
        return self._exit_code

    def _end(self, worker: dramatiq.Worker, loop: EventLoopThread, within: float) -> None:
        """Let it finish what it holds, for seconds. What it cannot give back, the scheduler hands out anew.

        A broker that says nothing is not waited for: this process ends, and its connections with it.
        """
        leaving: Future[None] = Future()

        def stop() -> None:
            try:
                worker.stop(timeout=int(within * 1000))
                leaving.set_result(None)
            except Exception as error:
                leaving.set_exception(error)

        threading.Thread(target=stop, name="leaving", daemon=True).start()
        join_all(worker.workers, int(within * 1000))  # type: ignore[no-untyped-call]  # Dramatiq does not annotate it
        try:
            leaving.result(LEAVE_WITHIN)
        except Exception as error:
            # Whatever it was: it cost the messages in hand, which are in the tables.
            log.warning("worker.messages_kept", error=type(error).__name__)
            loop.stop()  # type: ignore[no-untyped-call]  # as above

    def _asked_to_stop(self, *_: object) -> None:
        self._watchdog.stopping()
        self._stop.set()

    def _no_longer_living(self, living: Future[None]) -> None:
        if not living.cancelled() and (error := living.exception()):
            log.critical("worker.failed", exc_info=error)
            self._exit_code = 1
            self._stop.set()

    async def _live(self, worker: dramatiq.Worker) -> None:
        """Beat for others to see, and for the watchdog, until cancelled."""
        threads = [*worker.workers, *worker.consumers.values()]

        def trouble() -> str | None:
            self._keep_to_its_size()
            gone = [thread.name for thread in threads if not thread.is_alive()]
            return f"{gone[0]} has ended" if gone else self._at_work.look()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watchdog.beat_forever(trouble))
            tasks.create_task(self._beat_forever())

    def _keep_to_its_size(self) -> None:
        """Whatever leaks, a new process begins small: this one finishes what it holds."""
        limit, held = self._settings.worker_memory_mb, resident_megabytes()
        if limit and held > limit and not self._stop.is_set():
            log.warning("worker.too_large", megabytes=round(held), limit=limit)
            self._exit_code = RESTART
            self._stop.set()

    async def _beat_forever(self) -> None:
        while True:
            try:
                await self._beat()
            except Exception as error:
                # The database is away: the beat is missed, which is what others should see. asyncpg's own
                # errors come through while it connects, and have no common class but this.
                log.warning("heartbeat.missed", error=type(error).__name__)
            await asyncio.sleep(heartbeats.EVERY.total_seconds())

    async def _beat(self) -> None:
        services, *_ = self._get_parts()
        info: dict[str, Any] = {"pid": os.getpid(), "queues": sorted(self._settings.worker_queues)}
        async with asyncio.timeout(DATABASE_ANSWERS_WITHIN), services.engine.begin() as connection:
            await heartbeats.beat(connection, self._name, "worker", info)
            if self._endpoints is not None:
                await endpoints.keep_to(connection, self._endpoints)
            for source in self._mirrored:
                await reconciliations.ensure(connection, source)
        self._endpoints, self._mirrored = None, []

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
