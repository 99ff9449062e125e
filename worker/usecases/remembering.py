"""How sends ended is known to nobody else: it is written down, if need be again and again.

What comes at nearly the same time is written together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.outbox import LEASE
from worker.services import Services
from worker.usecases.outcomes import Outcome, finish_all

log = structlog.get_logger()

# Seconds. How long an outcome waits for others: less than a mail server takes for a mail over a network, and
# enough for several of one that is near. A process that is killed meanwhile leaves them as unknown.
TOGETHER = 0.01
# As many as may wait to be written down before another mail is sent: those of a process that is killed now.
MOST_UNWRITTEN = 6
# Seconds between attempts to write down how a send ended, while the database is away.
PAUSE = 0.5


class Memory:
    """Writes outcomes down: one for a process, of its event loop."""

    def __init__(self) -> None:
        self._waiting: list[_Noted] = []
        self._turn = asyncio.Lock()
        self._enough = asyncio.Event()

    async def note(self, services: Services, outcome: Outcome) -> None:
        """Return when it is written down, by whoever it was."""
        noted = _Noted(outcome)
        self._waiting.append(noted)
        if len(self._waiting) >= MOST_UNWRITTEN:
            self._enough.set()
        async with self._turn:
            if noted in self._waiting:
                await self._for_others()
                together, self._waiting = self._waiting, []
                await _write(services, together)
        if not noted.written:
            await _insist(services, outcome)

    async def _for_others(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(TOGETHER):
                await self._enough.wait()
        self._enough.clear()

    async def catch_up(self) -> None:
        """Return when few enough outcomes wait: a write may have to wait for somebody's lock."""
        if len(self._waiting) >= MOST_UNWRITTEN:
            # Those who wait have asked for it before.
            async with self._turn:
                pass


@dataclass(eq=False, slots=True)
class _Noted:
    outcome: Outcome
    written: bool = False


async def _write(services: Services, together: Sequence[_Noted]) -> None:
    """All of them or none: one that cannot be written must not take its neighbours along."""
    try:
        await finish_all(services, [each.outcome for each in together])
    except Exception as error:
        log.warning("outcome.unwritten", rows=len(together), error=type(error).__name__)
    else:
        for each in together:
            each.written = True


async def _insist(services: Services, outcome: Outcome) -> None:
    try:
        await persistently(lambda: finish_all(services, [outcome]), outcome.claim.step)
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
