"""Hold what Stripe says of everything against what is known here, page by page. Writes nothing.

Three looks: at all subscriptions and their customers; at what Stripe still wants paid, for invoices that we
have not heard of or think are settled; and at each invoice that we think is unpaid, which is read in full.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from db import accounts, comparing
from db.accounts import Loaded
from db.comparing import Held
from dunning.account import Invoice
from dunning.differing import Difference, differing
from dunning.events import CustomerSeen, SubscriptionSeen
from dunning.fold import empty, touched
from providers.mirror import Listed, Mirror, facts_of
from worker.services import Services
from worker.usecases.learn import known_until

# Each is two questions or three.
HELD_AT_ONCE = 10
UNKNOWN = "unknown there"


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of one page of `objects`; `last` is where to go on, None at the end.

    `strangers` are of customers nobody here has heard of: the takeover of a running business is for them.
    """

    differences: Sequence[Difference]
    objects: int
    last: str | None
    strangers: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """One of the looks, from an object on."""

    name: str
    at: Callable[[str | None], Awaitable[Looked]]


async def looks(services: Services, mirror: Mirror, *, all_of_it: bool = True) -> list[Look]:
    """In order; without `all_of_it` only those at what is open, there or here.

    Raises ProviderUnavailableError.
    """
    async with services.engine.connect() as connection:
        imported = await comparing.was_imported(connection, mirror.source)
    open_ones = [
        Look("invoices", partial(_invoices, services, mirror, imported)),
        Look("held", partial(_held, services, mirror)),
    ]
    if not all_of_it:
        return open_ones
    lists = [
        Look(name, partial(_subscriptions, services, mirror, read, imported and name == "subscriptions"))
        async for name, read in mirror.subscriptions()
    ]
    return [*lists, *open_ones]


async def _subscriptions(
    services: Services,
    mirror: Mirror,
    read: Callable[[str | None], Awaitable[Listed]],
    all_known: bool,
    after: str | None,
) -> Looked:
    page = await read(after)
    told = touched(fact for fact in page.facts if isinstance(fact, SubscriptionSeen | CustomerSeen))
    async with services.engine.connect() as connection:
        known = await comparing.accounts_of(connection, mirror.source, told)
    found: list[Difference] = []
    strangers = 0
    for customer, facts in told.items():
        if customer in known:
            found += differing(known[customer], facts)
        elif all_known:
            found += (
                each for each in differing(empty(mirror.source, customer), facts) if each.ref != customer
            )
        else:
            strangers += 1
    return Looked(found, page.objects, page.last, strangers, len(page.unreadable))


async def _invoices(services: Services, mirror: Mirror, all_known: bool, after: str | None) -> Looked:
    page = await mirror.open_invoices(after)
    async with services.engine.connect() as connection:
        here = await comparing.invoices_of(connection, mirror.source, [each.ref for each in page.invoices])
        owners = await accounts.known(connection, {(mirror.source, each.customer) for each in page.invoices})
    found: list[Difference] = []
    strangers = 0
    for each in page.invoices:
        if not all_known and (mirror.source, each.customer) not in owners:
            strangers += 1
        elif differs := _open_there(here.get(each.ref)):
            found.append(Difference(each.customer, "invoice", each.ref, differs))
    return Looked(found, page.objects, page.last, strangers, page.unreadable)


def _open_there(here: Invoice | None) -> dict[str, list[object]]:
    """What is wrong with an invoice that Stripe has charged in vain; nothing where a case of ours has it."""
    if here is None:
        return {"known": [False, True]}
    if here.settled:
        return {"settled": [here.status, "open"]}
    return {"failed": [False, True]} if here.failed_at is None and here.processing_since is None else {}


async def _held(services: Services, mirror: Mirror, after: str | None) -> Looked:
    number, _, invoice = (after or "0:").partition(":")
    async with services.engine.connect() as connection:
        rows = await comparing.held(
            connection, mirror.source, after=(int(number), invoice), most=HELD_AT_ONCE
        )
        ids = sorted({row.customer_id for row in rows})
        loaded = await accounts.load(connection, ids, also_invoices={row.invoice for row in rows})
    read = await asyncio.gather(*(_one(services, mirror, row, loaded[row.customer_id]) for row in rows))
    last = f"{rows[-1].customer_id}:{rows[-1].invoice}" if len(rows) == HELD_AT_ONCE else None
    return Looked([each for found in read for each in found], len(rows), last)


async def _one(services: Services, mirror: Mirror, row: Held, loaded: Loaded) -> list[Difference]:
    account = loaded.account
    at = known_until(account) or loaded.clock or services.clock()
    facts = facts_of(await mirror.invoice(row.invoice, at), row.customer)
    if not facts:
        status = account.invoices[row.invoice].status
        return [Difference(row.customer, "invoice", row.invoice, {"status": [status, UNKNOWN]})]
    return differing(account, facts)
