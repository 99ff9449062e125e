"""How an effect ends, or waits: written with its journal entry, and the case looks at it again."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from db import accounts, journal, outbox
from db.accounts import Loaded
from db.journal import Entry
from db.outbox import Claim
from worker.queues import CASES
from worker.services import Services

log = structlog.get_logger()

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
# With doubling waits most of a working day; then the mail counts as failed and a person is called.
MOST_ATTEMPTS = 14
CHANNEL = "channel"
A_MOMENT = timedelta(seconds=5)


async def postpone(
    services: Services,
    claim: Claim,
    loaded: Loaded,
    error: str,
    *,
    details: str = "",
    may_have_happened: bool = False,
) -> None:
    """Try again, later each time, and give up where a person is of more use.

    Certainly not sent, or with `may_have_happened` something that can be asked for twice without harm.
    """
    if claim.fence >= MOST_ATTEMPTS:
        status = "unknown" if may_have_happened else "failed"
        await finish(services, loaded, claim, status, error=error, details=details)
        return
    wait = min(FIRST_WAIT * 2 ** (claim.fence - 1), LONGEST_WAIT)
    log.warning("effect.postponed", step=claim.step, seconds=wait.total_seconds(), error=error)
    async with services.engine.begin() as connection:
        await outbox.postpone(connection, claim, wait, _with(error, details), handed_over=may_have_happened)


async def put_off(services: Services, claim: Claim, loaded: Loaded, until: datetime) -> None:
    """Wanted, but not yet: it waits uncounted. On a test clock an hour may pass in a moment."""
    wait = A_MOMENT if loaded.clock else until - services.clock()
    log.info("effect.put_off", step=claim.step, until=until.isoformat())
    async with services.engine.begin() as connection:
        await outbox.put_back(connection, claim, wait, f"it waits until {until:%Y-%m-%d %H:%M} UTC")


async def finish(
    services: Services,
    loaded: Loaded,
    claim: Claim,
    status: str,
    *,
    error: str | None = None,
    details: str = "",
) -> None:
    """Write the outcome down and have the case look at it: a warning that was accepted starts a deadline.

    `details` are the server's own words: they may repeat the address, so journal and log go without them.
    """
    at = loaded.clock or services.clock()
    accepted_at = at if status == "sent" else None
    said = _with(error, details) if error else None
    async with services.engine.begin() as connection:
        if not await outbox.finish(connection, claim, status, accepted_at=accepted_at, error=said):
            return
        verb = _verb(claim)
        data = {"step": claim.step} | ({"channel": claim.channel} if verb == CHANNEL else {})
        entry = Entry(claim.customer_id, at, f"{verb}.{status}", error, claim.case, data)
        # Its foreign key waits for whoever is deciding about the account, so that their due times come first.
        await journal.write(connection, [entry])
        await accounts.look_again(connection, claim.customer_id, [claim.case], at)
    log.info(f"{verb}.{status}", customer=claim.customer_id, case=claim.case, step=claim.step)
    await services.nudge(CASES, [claim.customer_id])


def _verb(claim: Claim) -> str:
    """What an outcome is called after; channels with a name that somebody chose have one word."""
    if claim.channel == "provider":
        return claim.kind.value
    return claim.channel if claim.channel in ("mail", "chat") else CHANNEL


def _with(error: str, details: str) -> str:
    return f"{error}: {details}"[:500] if details else error
