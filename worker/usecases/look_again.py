"""Look once more at where Stripe has said something else, and take its word where that is safe.

Safe is what every event does too: fold what was read back, and plan anew. What that does not mend is for
people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from db import accounts, differences
from db.accounts import Loaded
from db.differences import Noted
from dunning.differing import differing
from dunning.events import BillingEvent
from dunning.fold import empty
from providers.stripe_mirror import StripeMirror, facts_of
from worker.comparing import UNKNOWN
from worker.services import Services
from worker.usecases.learn import known_until, learn

log = structlog.get_logger()


async def look_again(services: Services, mirror: StripeMirror, noted: Sequence[Noted]) -> Counter[str]:
    """Settle these or report them; how many of each. Raises ProviderUnavailableError or RefusedError."""
    counted: Counter[str] = Counter()
    for each in noted:
        status, differs = await _became(services, mirror, each)
        async with services.engine.begin() as connection:
            if status == "reported":
                await differences.report(connection, each.id, differs)
            else:
                await differences.settle(connection, each.id, status)
        log.info(f"difference.{status}", difference=each.id, kind=each.kind, ref=each.ref)
        counted[status] += 1
    return counted


async def _became(services: Services, mirror: StripeMirror, noted: Noted) -> tuple[str, Mapping[str, Any]]:
    """Its status, and what differs still."""
    loaded = await _load(services, noted)
    account = loaded.account if loaded else empty(noted.source, noted.customer)
    at = known_until(account) or (loaded and loaded.clock) or services.clock()
    facts = facts_of(await _read(mirror, noted, at), noted.customer)
    if not facts:
        return "reported", {**noted.differs, "there": UNKNOWN}
    if not differing(account, facts):
        return "gone", {}
    async with services.engine.begin() as connection:
        key = noted.source, noted.customer
        customer_id = (await accounts.ensure(connection, [key]))[key]
    await learn(services, customer_id, facts)
    after = await _load(services, noted)
    left = differing(after.account, facts) if after else []
    return ("reported", left[0].differs) if left else ("repaired", {})


async def _load(services: Services, noted: Noted) -> Loaded | None:
    async with services.engine.connect() as connection:
        ids = await accounts.known(connection, [(noted.source, noted.customer)])
        invoices = {noted.ref} if noted.kind == "invoice" else set()
        loaded = await accounts.load(connection, sorted(ids.values()), also_invoices=invoices)
    return next(iter(loaded.values()), None)


async def _read(mirror: StripeMirror, noted: Noted, at: datetime) -> Sequence[BillingEvent]:
    match noted.kind:
        case "invoice":
            return await mirror.invoice(noted.ref, at)
        case "subscription":
            return await mirror.subscription(noted.ref, at)
        case _:
            return await mirror.customer(noted.ref, at)
