"""Send what has happened to the merchant's own endpoints, until each event is accepted or given up.

At least once: a worker that is killed between the answer and writing it down leads to the same event with the
same id once more. Events of one customer do not wait for each other, or one that fails would hold back for
three days all that follow; their `sequence` says which is the newer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import alarms, deliveries, endpoints
from db.deliveries import Try, Turn
from db.endpoints import Endpoint
from outbound.addresses import read_url
from outbound.post import Poster
from outbound.sending import GONE, Outcome, send
from worker.services import Services

log = structlog.get_logger()

# Tries at the same time to one endpoint.
AT_ONCE = 8
# Seconds. A turn begins no further round after this, so that others have theirs.
ENOUGH = 20.0
# After each failed try; together a little over three days, and up to a fifth longer, so that an endpoint that
# is back is not met by everything in the same second.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.2
# An endpoint may ask for more patience than we have, but not for more than this.
LONGEST_WAIT = timedelta(hours=24)
# An endpoint that has accepted nothing for so long is switched off.
FAILING_TOO_LONG = timedelta(days=5)


async def tell_each(
    services: Services, poster: Poster, endpoint_ids: Sequence[int], *, enough: float = ENOUGH
) -> None:
    """Send what is due to these endpoints (row ids), to all at once: none waits for a slow one."""
    await asyncio.gather(*(_tell(services, poster, endpoint_id, enough) for endpoint_id in endpoint_ids))


async def _tell(services: Services, poster: Poster, endpoint_id: int, enough: float) -> None:
    clock = asyncio.get_running_loop().time
    stop_at = clock() + enough
    try:
        async with services.engine.begin() as connection:
            turn = await deliveries.take(connection, endpoint_id)
        while turn:
            async with services.engine.begin() as connection:
                tries = await deliveries.claim(connection, endpoint_id, AT_ONCE)
            await asyncio.gather(*(_deliver(services, poster, turn.endpoint, one) for one in tries))
            turn = await _go_on(services, turn, more=len(tries) == AT_ONCE and clock() < stop_at)
    except Exception as error:
        # The other endpoints must not wait for this one, which is looked at again when its lease runs out.
        log.exception("endpoint.interrupted", endpoint=endpoint_id, error=type(error).__name__)


async def _go_on(services: Services, turn: Turn, *, more: bool) -> Turn | None:
    async with services.engine.begin() as connection:
        if more:
            return await deliveries.keep(connection, turn)
        await deliveries.leave(connection, turn)
    return None


async def _deliver(services: Services, poster: Poster, endpoint: Endpoint, one: Try) -> None:
    outcome = await send(poster, endpoint.url, endpoint.secrets, one.message, one.body)
    if outcome.error is not None:
        await _failed(services, endpoint, one, outcome, outcome.error)
        return
    async with services.engine.begin() as connection:
        await endpoints.note_success(connection, endpoint.id)
        await deliveries.delivered(connection, one, outcome.code)
    log.info("webhook.delivered", endpoint=endpoint.id, message=one.message, attempt=one.fence)


async def _failed(services: Services, endpoint: Endpoint, one: Try, outcome: Outcome, why: str) -> None:
    wait = wait_after(one.fence, outcome.asked)
    async with services.engine.begin() as connection:
        # The endpoint's row before its deliveries, as whoever disables it locks them.
        failing_for = await endpoints.note_failure(connection, endpoint.id)
        await deliveries.not_delivered(connection, one, outcome.code, why, wait=wait)
        off = why_off(outcome, failing_for)
        disabled = off is not None and await _switch_off(connection, endpoint, off)
    if disabled:
        log.error("endpoint.disabled", endpoint=endpoint.id, why=off)
    elif wait is None:
        log.error("webhook.given_up", endpoint=endpoint.id, message=one.message, why=why)
    else:
        log.warning("webhook.postponed", endpoint=endpoint.id, message=one.message, why=why)


async def _switch_off(connection: AsyncConnection, endpoint: Endpoint, why: str) -> bool:
    """False: somebody was quicker, and has had the team called."""
    if not await endpoints.disable(connection, endpoint.id, why):
        return False
    facts = {"host": read_url(endpoint.url).host, "why": why}
    await alarms.sound(connection, "endpoint", endpoint.id, facts)
    return True


def wait_after(attempt: int, asked: timedelta | None) -> timedelta | None:
    """How long to wait after this many tries, at least as `asked` for; None: that was the last."""
    if attempt > len(WAITS):
        return None
    ours = WAITS[attempt - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311  # not a secret
    return max(ours, min(asked or ours, LONGEST_WAIT))


def why_off(outcome: Outcome, failing_for: timedelta) -> str | None:
    """Why an endpoint is told nothing any more, if it is not."""
    if outcome.code == GONE:
        return "it answered 410, which means gone for good"
    if failing_for >= FAILING_TOO_LONG:
        return f"it has accepted nothing for {failing_for.days} days"
    return None
