"""The scheduler's look at what is no customer's case: does too much fail at once, was an event given up?

It trips the breaker, which only a person releases, and has the team called.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db import alarms, breaker, dead
from dunning.breaker import Limits, surge
from settings import SchedulerSettings, ToolSettings, WorkerSettings
from worker.queues import ALARM
from worker.services import Nudge

log = structlog.get_logger()

EVERY = timedelta(seconds=10)


def limits(settings: WorkerSettings | SchedulerSettings | ToolSettings) -> Limits | None:
    """How much may happen at once, as the settings say; None: they say that nobody looks."""
    if settings.breaker == "off":
        return None
    return Limits(**{name: getattr(settings, name) for name in Limits.model_fields})


async def watch(engine: AsyncEngine, nudge: Nudge, limits: Limits | None) -> bool:
    """Trip the breaker if failures surge; True if this look did. Has the team called about what stands."""
    async with engine.begin() as connection:
        reason = None
        if limits and await breaker.tripped(connection) is None:
            reason = surge(await breaker.failures(connection, limits), limits)
        # Another scheduler may have been quicker.
        ours = reason is not None and await breaker.trip(connection, reason)
        given_up = await dead.call_the_team(connection)
        calls = await alarms.due(connection)
    if ours:
        log.error("breaker.tripped", reason=reason)
    if given_up:
        log.error("event.given_up")
    await nudge(ALARM, calls)
    return ours
