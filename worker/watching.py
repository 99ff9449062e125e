"""Read what is true of the whole installation for the metrics of a scheduler. Nothing waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic, time

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from db import heartbeats, mismatches, reconciled, status, totals
from db.tail import Tail
from metrics.whole.collector import Whole
from metrics.whole.gauges import Moment, Survey
from metrics.whole.meter import Meter
from worker.lengths import Lengths
from worker.usecases.advance_cases import UNCONFIRMED
from worker.usecases.holding import TRIPPED

log = structlog.get_logger()

# Seconds between two readings of what is quick to read, and of what grows with the number of customers.
EVERY = 10.0
SURVEY_EVERY = 60.0
# A reading takes this share of the time at most: what is slow to read is read more seldom.
MOST = 0.02

REASONS = ((TRIPPED, "breaker"), ("the cap of", "cap"), (UNCONFIRMED, "unconfirmed"))


class Watch:
    """Fills `whole` until it is cancelled. Give it an engine whose connections nobody else waits for."""

    def __init__(self, engine: AsyncEngine, queue_url: str) -> None:
        self.whole = Whole(Meter(REASONS))
        self._engine, self._lengths = engine, Lengths(queue_url)
        self._tail = Tail(monotonic)

    async def run(self) -> None:
        """Read both, each in its own time."""
        await asyncio.gather(_repeat(self.look, EVERY), _repeat(self.survey, SURVEY_EVERY))

    async def look(self) -> None:
        """Read what is quick."""
        queues = await asyncio.to_thread(self._lengths.read)
        async with self._engine.connect() as connection:
            self.whole.meter.add(await self._tail.read(connection))
            self.whole.moment = Moment(
                at=time(),
                state=await status.read(connection),
                totals=await totals.read(connection),
                processes=await heartbeats.read(connection),
                queues=queues,
            )

    async def survey(self) -> None:
        """Read what is not."""
        async with self._engine.connect() as connection:
            self.whole.survey = Survey(
                at=time(),
                access=await totals.access(connection),
                mismatches=await mismatches.read(connection),
                reconciled=await reconciled.read(connection),
            )


async def _repeat(read: Callable[[], Awaitable[None]], every: float) -> None:
    while True:
        began = monotonic()
        try:
            await read()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("metrics.not_read", what=read.__name__, error=type(error).__name__)
        except Exception as error:
            # A fault of ours is for people to read, and no reason to be blind for the rest.
            log.exception("metrics.failed", what=read.__name__, error=type(error).__name__)
        took = monotonic() - began
        await asyncio.sleep(max(every, took / MOST))
