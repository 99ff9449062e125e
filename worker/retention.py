"""Once an hour: take away what has been kept for long enough, a batch at a time until nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db import retention
from db.retention import Keep
from settings import SchedulerSettings

log = structlog.get_logger()

# Seconds.
EVERY = 3600.0
WHILE_THERE_IS_MORE = 1.0


def keep(settings: SchedulerSettings) -> Keep:
    """For how long, as the settings say."""
    return Keep(**{name: settings.kept(name) for name in Keep.__slots__})


class Retention:
    """One scheduler's turn at it. `late` is for how long something should have been gone, as seen last."""

    def __init__(self, keep: Keep, seconds: Callable[[], float], *, batch: int = retention.BATCH) -> None:
        """`seconds` is a clock that only goes forward."""
        self._keep, self._seconds, self._batch = keep, seconds, batch
        self._next = seconds()
        self.late: timedelta | None = None

    async def look(self, engine: AsyncEngine) -> None:
        """Take a batch away, if it is time."""
        now = self._seconds()
        if now < self._next:
            return
        self._next = now + WHILE_THERE_IS_MORE
        async with engine.begin() as connection:
            taken = await retention.prune(connection, self._keep, batch=self._batch)
            self.late = await retention.overdue(connection, self._keep)
        if any(taken.values()):
            log.info("retention.pruned", **taken)
        if max(taken.values()) < self._batch:
            self._next = now + EVERY
