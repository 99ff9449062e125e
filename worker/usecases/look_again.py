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
from dunning.account import Account
from dunning.differing import differing
from dunning.events import (
    BillingEvent,
    ChargeFailed,
    CustomerFact,
    InvoiceSeen,
    LedgerRead,
    PaymentFailed,
)
from dunning.fold import empty
from providers.mirror import Mirror, facts_of
from worker.comparing import UNKNOWN
from worker.services import Services
from worker.usecases.learn import known_until, learn

log = structlog.get_logger()

# What a payment that waits for its owner is read as: see `providers.stripe.ledger`.
WAITS = "payment_intent_action_required"


async def look_again(services: Services, mirror: Mirror, noted: Sequence[Noted]) -> Counter[str]:
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


async def _became(services: Services, mirror: Mirror, noted: Noted) -> tuple[str, Mapping[str, Any]]:
    """Its status, and what differs still."""
    loaded = await _load(services, noted, [])
    account = loaded.account if loaded else empty(noted.source, noted.customer)
    now = (loaded and loaded.clock) or services.clock()
    at = known_until(account) or now
    facts = facts_of(await _read(mirror, noted, at), noted.customer)
    if not facts:
        return "reported", {**noted.differs, "there": UNKNOWN}
    loaded = await _load(services, noted, facts)
    account = loaded.account if loaded else account
    facts += _failed_without_a_charge(account, facts, now)
    if not differing(account, facts):
        return "gone", {}
    async with services.engine.begin() as connection:
        key = noted.source, noted.customer
        customer_id = (await accounts.ensure(connection, [key]))[key]
    await learn(services, customer_id, facts)
    after = await _load(services, noted, facts)
    left = differing(after.account, facts) if after else []
    return ("reported", left[0].differs) if left else ("repaired", {})


async def _load(services: Services, noted: Noted, facts: Sequence[CustomerFact]) -> Loaded | None:
    """The customer's account with the invoices that these facts speak of, or None: a stranger."""
    invoices = {ref for fact in facts if (ref := getattr(fact, "invoice", None))}
    async with services.engine.connect() as connection:
        ids = await accounts.known(connection, [(noted.source, noted.customer)])
        loaded = await accounts.load(connection, sorted(ids.values()), also_invoices=invoices)
    return next(iter(loaded.values()), None)


def _failed_without_a_charge(
    account: Account, facts: Sequence[CustomerFact], now: datetime
) -> list[CustomerFact]:
    """What Stripe has tried in vain without a charge: there was none to make, or the bank has to be asked.

    Only an event would have told when, so that it counts from now on.
    """
    charged = {fact.invoice for fact in facts if isinstance(fact, ChargeFailed)}
    asked = {fact.invoice: fact.code == WAITS for fact in facts if isinstance(fact, LedgerRead)}
    found: list[CustomerFact] = []
    for fact in facts:
        if not isinstance(fact, InvoiceSeen) or fact.status != "open" or fact.invoice not in asked:
            continue
        known = account.invoices.get(fact.invoice)
        if fact.invoice in charged or fact.processing_since or (known and known.failed_at):
            continue
        waits, attempt = asked[fact.invoice], max(1, fact.attempt_count)
        found.append(PaymentFailed(fact.customer, fact.invoice, now, attempt, waits))
    return found


async def _read(mirror: Mirror, noted: Noted, at: datetime) -> Sequence[BillingEvent]:
    match noted.kind:
        case "invoice":
            return await mirror.invoice(noted.ref, at)
        case "subscription":
            return await mirror.subscription(noted.ref, at)
        case _:
            return await mirror.customer(noted.ref, at)
