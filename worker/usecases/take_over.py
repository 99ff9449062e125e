"""Take over what a provider has listed: facts, cases, access and plans, and how far the import has come.

One page is one transaction, so that whoever is interrupted begins it again as if it had not been read.
Nothing is sent from here: what is due stays due, and the first of it not before the customer's turn comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, imports, links
from db.accounts import Loaded
from db.imports import Import
from db.journal import Entry
from db.links import LinkRow
from dunning.account import Account, Case
from dunning.events import BillingEvent, ClockMoved, CustomerFact
from dunning.fold import touched
from dunning.plan import plan
from dunning.rules.context import DUE_BEFORE
from dunning.takeover import take_over
from portal.links import FOR_BANNERS, unheld
from providers.mirror import Listed
from worker.services import Services
from worker.usecases.deciding import Decision, decide
from worker.usecases.enact import enact_all
from worker.usecases.holding import Switch

log = structlog.get_logger()


async def take_over_page(services: Services, run: Import, stage: str, page: Listed) -> Import:
    """Apply one page, and note that the stage has come so far."""
    told = touched(fact for fact in page.facts if not isinstance(fact, ClockMoved))
    async with services.engine.begin() as connection:
        await accounts.move_clocks(connection, clock_moves(run.source, page.facts))
        ids = await accounts.ensure(connection, [(run.source, customer) for customer in told])
        invoices = {
            ref for facts in told.values() for fact in facts if (ref := getattr(fact, "invoice", None))
        }
        loaded = await accounts.load(connection, sorted(ids.values()), also_invoices=invoices, lock=True)
        counted = Counter(
            {
                stage.partition(":")[0]: page.objects,
                "read": page.invoices_read,
                "unreadable": len(page.unreadable),
            }
        )
        taken: list[_Taken] = []
        switch = Switch(connection)
        for (_, customer), customer_id in sorted(ids.items(), key=lambda item: item[1]):
            taken.append(await _one(connection, services, switch, loaded[customer_id], told[customer]))
            counted += taken[-1].counted
        await enact_all(connection, [one.decision for one in taken], heard_late=True)
        await links.add(connection, *(link for one in taken for link in one.links))
        run = await imports.advance(connection, run, stage, page.last, counted)
    log.info("import.page", stage=stage, cursor=page.last, customers=len(told))
    return run


@dataclass(frozen=True, slots=True)
class _Taken:
    """What has to be written for one customer of a page, and what it adds to the import's counts."""

    decision: Decision
    links: tuple[LinkRow, ...]
    counted: Counter[str]


async def _one(
    connection: AsyncConnection,
    services: Services,
    switch: Switch,
    before: Loaded,
    facts: Sequence[CustomerFact],
) -> _Taken:
    clock = before.clock or await _clock(connection, before.account, facts)
    now = clock or services.clock()
    before = replace(before, clock=clock)
    after = take_over(before.account, facts, services.policy, now)
    decision = await decide(
        connection,
        before,
        after,
        switch=switch,
        policy=services.policy,
        team_channels=services.team_channels,
        now=now,
        taking=False,
    )
    fresh = [case for ref, case in after.cases.items() if ref not in before.account.cases]
    opened = [LinkRow(unheld(), before.id, case.invoice, now, FOR_BANNERS) for case in fresh]
    running = [case for case in fresh if case.first_contact_at]
    new = before.account.customer.as_of is None and after.customer.as_of is not None
    withheld = plan(after, before.history, services.policy, now).withheld if running else ()
    uncalled = {
        item.case for item in withheld if item.reason == DUE_BEFORE and item.key.startswith("escalation:")
    }
    counted = Counter(
        customers=int(new),
        cases=len(running),
        over=len(fresh) - len(running),
        uncalled=sum(case.invoice in uncalled for case in running),
    )
    return _Taken(
        decision.and_then([_entry(before.id, case, now) for case in fresh]),
        tuple(opened) if services.pages else (),
        counted,
    )


async def _clock(
    connection: AsyncConnection, account: Account, facts: Sequence[CustomerFact]
) -> datetime | None:
    """What time it is for a customer who turns out to live on a test clock."""
    ref = account.customer.test_clock or next(
        filter(None, (getattr(each, "test_clock", None) for each in facts)), None
    )
    return await accounts.clock_of(connection, account.source, ref) if ref else None


def clock_moves(source: str, facts: Sequence[BillingEvent]) -> dict[tuple[str, str], datetime]:
    """How far the test clocks have come that these facts tell of."""
    return {(source, fact.clock): fact.to for fact in facts if isinstance(fact, ClockMoved)}


def _entry(customer_id: int, case: Case, now: datetime) -> Entry:
    told = case.first_contact_at.isoformat() if case.first_contact_at else None
    reason = "it had begun before us" if told else "the provider had ended it before us"
    return Entry(customer_id, now, "case.taken_over", reason, case.invoice, {"first_contact_at": told})
