"""How an effect ends, or waits: written with its journal entry, and the case looks at it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from db import accounts, endings, journal, outbox
from db.accounts import Loaded
from db.endings import Ending
from db.journal import Entry
from db.outbox import Claim
from providers.fields import storable
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
    most_attempts: int = MOST_ATTEMPTS,
) -> None:
    """Try again, later each time, and give up where a person is of more use.

    Certainly not sent, or with `may_have_happened` something that can be asked for twice without harm.
    """
    if claim.fence >= most_attempts:
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


async def let_go(services: Services, claim: Claim, why: str) -> None:
    """Nothing was done with it, for want of time: it waits a while, uncounted."""
    async with services.engine.begin() as connection:
        await outbox.put_back(connection, claim, FIRST_WAIT, why)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an effect ended: sent, suppressed, failed or unknown.

    `details` are the server's own words: they may repeat the address, so journal and log go without them.
    """

    loaded: Loaded
    claim: Claim
    status: str
    error: str | None = None
    details: str = ""

    @property
    def said(self) -> str | None:
        return _with(self.error, self.details) if self.error else None


async def finish(
    services: Services,
    loaded: Loaded,
    claim: Claim,
    status: str,
    *,
    error: str | None = None,
    details: str = "",
) -> None:
    """Write one outcome down: see `finish_all`."""
    await finish_all(services, [Outcome(loaded, claim, status, error, details)])


async def finish_all(services: Services, outcomes: Sequence[Outcome]) -> None:
    """Write outcomes down and have the cases look at them: a warning that was accepted starts a deadline."""
    now = services.clock()
    async with services.engine.begin() as connection:
        ours = await endings.finish_all(connection, [_ending(each, now) for each in outcomes])
        # In the order in which accounts are locked.
        written = sorted(
            (each for each in outcomes if each.claim.id in ours), key=lambda each: each.claim.customer_id
        )
        # Its foreign key waits for whoever is deciding about the account, so that their due times come first.
        await journal.write(connection, [_entry(each, now) for each in written])
        looks = [(each.claim.customer_id, each.claim.case, each.loaded.clock or now) for each in written]
        await accounts.look_again(connection, looks)
    for each in written:
        claim = each.claim
        log.info(
            f"{_verb(claim)}.{each.status}", customer=claim.customer_id, case=claim.case, step=claim.step
        )
    await services.nudge(CASES, sorted({each.claim.customer_id for each in written}))


def _ending(outcome: Outcome, now: datetime) -> Ending:
    at = outcome.loaded.clock or now
    accepted_at = at if outcome.status == "sent" else None
    return Ending(outcome.claim, outcome.status, accepted_at, outcome.said)


def _entry(outcome: Outcome, now: datetime) -> Entry:
    claim, verb = outcome.claim, _verb(outcome.claim)
    data = {"step": claim.step} | ({"channel": claim.channel} if verb == CHANNEL else {})
    at = outcome.loaded.clock or now
    return Entry(claim.customer_id, at, f"{verb}.{outcome.status}", outcome.error, claim.case, data)


def _verb(claim: Claim) -> str:
    """What an outcome is called after; channels with a name that somebody chose have one word."""
    if claim.channel == "provider":
        return claim.kind.value
    return claim.channel if claim.channel in ("mail", "chat") else CHANNEL


def _with(error: str, details: str) -> str:
    """Others' words may be in any encoding: what no column holds must not cost us how it ended."""
    return storable(f"{error}: {details}"[:500]) if details else error
