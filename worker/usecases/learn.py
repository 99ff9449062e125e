"""Fold what a provider said when it was asked, and do what follows from it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, imports, links
from db.links import LinkRow
from dunning.account import Account
from dunning.case import settle
from dunning.events import BillingEvent, ClockMoved
from dunning.fold import fold
from dunning.takeover import begun_before_us
from portal.links import FOR_BANNERS, unheld
from worker.queues import CASES
from worker.services import Services
from worker.usecases.enact import enact
from worker.wake import wake


async def learn(services: Services, customer_id: int, facts: Iterable[BillingEvent]) -> None:
    """Fold these facts of one customer, in one transaction with everything that is due then.

    Where the process does not decide, what is due is left to a worker, who is woken.
    """
    told = [fact for fact in facts if not isinstance(fact, ClockMoved)]
    async with services.engine.begin() as connection:
        named = {ref for fact in told if (ref := getattr(fact, "invoice", None))}
        found = await accounts.load(connection, [customer_id], also_invoices=named, lock=True)
        loaded = found[customer_id]
        at = loaded.clock or services.clock()
        after = settle(fold(loaded.account, *told), services.policy)
        after = await _begun_earlier(connection, services, loaded.account, after, at)
        result = await enact(
            connection,
            loaded,
            after,
            policy=services.policy,
            team_channels=services.team_channels,
            now=at,
            taking=services.decides,
        )
        if services.pages:
            fresh = sorted(after.cases.keys() - loaded.account.cases.keys())
            added = [LinkRow(unheld(), customer_id, case, at, FOR_BANNERS) for case in fresh]
            await links.add(connection, *added)
    await wake(services, {customer_id: result})
    if not services.decides:
        await services.nudge(CASES, [customer_id])


async def _begun_earlier(
    connection: AsyncConnection, services: Services, before: Account, after: Account, at: datetime
) -> Account:
    """A case that had begun before us, and is heard of after the import, is taken over like the rest."""
    if after.customer.test_clock or after.cases.keys() == before.cases.keys():
        return after
    began_at = await imports.first_began_at(connection, after.source)
    return begun_before_us(before, after, services.policy, at, began_at) if began_at else after


def known_until(account: Account) -> datetime | None:
    """How far the provider's own clock is known: an answer is as new as that, and newer.

    Our clock may be ahead of theirs, whose seconds are whole: what they say next must not look older.
    """
    seen = [
        account.customer.as_of,
        *(subscription.as_of for subscription in account.subscriptions.values()),
        *(invoice.as_of for invoice in account.invoices.values()),
    ]
    return max((as_of.at for as_of in seen if as_of), default=None)
