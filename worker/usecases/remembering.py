"""How sends ended is known to nobody else: it is written down, if need be again and again.

What comes while others are being written down is written together, next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.outbox import LEASE
from worker.services import Services
from worker.usecases.outcomes import Outcome, finish_all

log = structlog.get_logger()

# Seconds between attempts to write down how a send ended, while the database is away.
PAUSE = 0.5


class Memory:
    """Writes outcomes down. Belongs to the event loop it was made in."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._waiting: list[Outcome] = []
        self._turn = asyncio.Lock()

    async def note(self, outcome: Outcome) -> None:
        """Return when it is written down, by whoever it was."""
        self._waiting.append(outcome)
        async with self._turn:
            if outcome in self._waiting:
                together, self._waiting = self._waiting, []
                await self._write(together)

    async def _write(self, outcomes: Sequence[Outcome]) -> None:
        try:
            await finish_all(self._services, outcomes)
        except Exception as error:
            log.warning("outcome.unwritten", rows=len(outcomes), error=type(error).__name__)
            # One that cannot be written must not take its neighbours along.
            for each in outcomes:
                await self._insist(each)

    async def _insist(self, outcome: Outcome) -> None:
        try:
            await persistently(lambda: finish_all(self._services, [outcome]), outcome.claim.step)
        except Exception as error:
            log.exception("outcome.lost", step=outcome.claim.step, error=type(error).__name__)


async def persistently(write: Callable[[], Awaitable[None]], step: str) -> None:
    """Write until it is written, or others may take the effect of this step for unknown."""
    clock = asyncio.get_running_loop().time
    give_up_at = clock() + LEASE.total_seconds()
    while True:
        try:
            return await write()
        except (SQLAlchemyError, OSError) as error:
            log.warning("outcome.unwritten", step=step, error=type(error).__name__)
            if clock() > give_up_at:
                raise
            await asyncio.sleep(PAUSE)
