"""A whole source has ended: a connected account has taken back what it had allowed its platform.

Nothing can be asked or done there any more. So nobody of it is written to, nothing of theirs is charged, and
access stays as it is, until a person says otherwise; and a person is told.
"""

from __future__ import annotations

import asyncio
from datetime import UTC

import structlog

from db import alarms, inbox, instructions, reconciliations
from db.inbox import InboxRow
from dunning.instructions import Verb
from dunning.requests import Request
from worker.services import Services
from worker.usecases.instruct import RefusedError, instruct

log = structlog.get_logger()

BY = "the billing system"
WHY = "its account has disconnected"
# Customers of whom it is said between two looks at the clock.
AT_ONCE = 100


async def close_source(services: Services, row: InboxRow, *, within: float) -> None:
    """Exclude everybody of the row's source from dunning, and call the team.

    As far as `within` seconds go: the row stays due then, and whoever takes it up goes on.
    """
    until, after = asyncio.get_running_loop().time() + within, 0
    while left := await _left(services, row.source, after):
        for after in left:
            await _exclude(services, after)
        if asyncio.get_running_loop().time() > until:
            async with services.engine.begin() as connection:
                await inbox.note_failure(connection, row.id, "is not through yet", counts=False)
            return
    async with services.engine.begin() as connection:
        if await inbox.lock_pending(connection, [row.id]):
            await alarms.sound(connection, "closed", row.id, {"source": row.source})
            await reconciliations.end(connection, row.source)
            await inbox.mark_done(connection, [row.id])
    log.warning("source.closed", source=row.source, event_id=row.event_id)


async def _left(services: Services, source: str, after: int) -> list[int]:
    async with services.engine.connect() as connection:
        return await instructions.not_yet(connection, source, Verb.EXCLUDE, after=after, most=AT_ONCE)


async def _exclude(services: Services, customer_id: int) -> None:
    request = Request(Verb.EXCLUDE, BY, WHY)
    try:
        async with services.engine.begin() as connection:
            await instruct(
                connection,
                customer_id,
                request,
                policy=services.policy,
                zone=UTC,
                now=services.clock(),
            )
    except RefusedError as error:
        # Of somebody who was forgotten nothing is said: nothing is done about them either.
        log.info("source.closed_for_nobody", customer=customer_id, code=error.code.value)
