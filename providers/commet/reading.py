"""What Commet knows of an invoice, a subscription or a customer, read back with all that belongs to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dunning.account import PAYING
from dunning.events import AsOf, BillingEvent, LedgerRead
from providers.commet.client import A_PAGE, CommetApi, Listable
from providers.commet.objects import (
    customer_seen,
    failures_of,
    invoice_seen,
    is_renewal,
    named,
    owner_of,
    paid_at_of,
    subscription_seen,
)
from providers.fields import Json, moment, parts, text

FAILED = frozenset({"outstanding", "uncollectible"})
IN_TROUBLE = frozenset({"past_due", "canceled"})
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose something is, by the id that events use; `customer` is None where Commet does not know them."""

    ref: str
    customer: Json | None

    def facts(self, as_of: AsOf) -> list[BillingEvent]:
        return [customer_seen(self.customer, as_of)] if self.customer else []


@dataclass(frozen=True, slots=True)
class CommetReading:
    """Answers of one organization as facts. Each raises ProviderUnavailableError or MalformedEventError."""

    api: CommetApi

    async def customer(self, ref: str, as_of: AsOf) -> list[BillingEvent]:
        return (await self.owner(ref)).facts(as_of)

    async def subscription(
        self, ref: str, as_of: AsOf, *, debts: bool = False, told: bool | None = None
    ) -> list[BillingEvent]:
        """Nothing of one that Commet does not know. `debts`: with what it owes, or was paid with.

        `told`: whether it ended for want of payment, where that is known.
        """
        found = await self.api.read("subscriptions", ref)
        if found is None:
            return []
        owner = await self.owner(named(found, "customer_id"))
        over = found.get("status") == "canceled" and told is None
        billed = await self.invoices(subscription_id=ref) if debts or over else []
        unpaid = _given_up(billed) if told is None else told
        wanted = _concerning(found, billed) if debts else []
        as_of = _not_older_than(as_of, [found, *wanted])
        facts = [*owner.facts(as_of), subscription_seen(found, owner.ref, as_of, unpaid=unpaid)]
        return [*facts, *await self._billed(found, owner, wanted, as_of)]

    async def invoice(self, ref: str, as_of: AsOf, *, charges: bool = False) -> list[BillingEvent]:
        """With its customer and subscription; nothing of a one-off. `charges`: with those that failed."""
        found = await self.api.read("invoices", ref)
        of = text(found, "subscription_id") if found else None
        if found is None or of is None:
            return []
        owner, subscription = await asyncio.gather(
            self.owner(named(found, "customer_id")), self.api.read("subscriptions", of)
        )
        facts: list[BillingEvent] = []
        wanted = [found]
        if subscription:
            good = subscription.get("status") in PAYING and found.get("status") != "paid"
            over = subscription.get("status") == "canceled"
            billed = await self.invoices(subscription_id=of) if good or over else []
            # What brought it back to life is another invoice.
            wanted += _newest(each for each in billed if each.get("status") == "paid") if good else []
            as_of = _not_older_than(as_of, [subscription, *wanted])
            facts.append(subscription_seen(subscription, owner.ref, as_of, unpaid=_given_up(billed)))
        facts += owner.facts(as_of)
        if not charges and all(each.get("status") != "paid" for each in wanted):
            return [*facts, *(invoice_seen(each, owner.ref, as_of) for each in wanted)]
        return [*facts, *await self._billed(subscription or {}, owner, wanted, as_of)]

    async def owner(self, ref: str) -> Owner:
        """By Commet's own id or by yours: what objects name is not said to be the one or the other."""
        found = await self.api.read("customers", ref)
        if found is None:
            listed = parts(await self.api.listed("customers", external_id=ref, limit=1), "data")
            found = listed[0] if listed else None
        return Owner(owner_of(found) if found else ref, found)

    async def invoices(self, **wanted: str) -> list[Json]:
        return await self._all("invoices", **wanted)

    async def _billed(
        self, subscription: Json, owner: Owner, invoices: Sequence[Json], as_of: AsOf
    ) -> list[BillingEvent]:
        """These invoices with their charges, which are listed by the customer's address alone."""
        email = text(owner.customer, "email") if owner.customer and invoices else None
        made = await self._all("transactions", customer_email=email) if email else []
        facts: list[BillingEvent] = []
        for each in invoices:
            ref = named(each, "id")
            facts.append(invoice_seen(each, owner.ref, as_of, paid_at_of(ref, made)))
            if each.get("status") in FAILED and subscription.get("status") in IN_TROUBLE and is_renewal(each):
                # Position 0 says that the charges were asked for, and that none can be told by its number.
                facts += failures_of(ref, owner.ref, made) or [LedgerRead(owner.ref, ref, 0)]
        return facts

    async def _all(self, kind: Listable, **wanted: str) -> list[Json]:
        """Every page of a list."""
        found: list[Json] = []
        cursor: str | None = None
        while True:
            page = await self.api.listed(kind, limit=A_PAGE, cursor=cursor, **wanted)
            found += parts(page, "data")
            cursor = text(page, "next_cursor") if page.get("has_more") else None
            if cursor is None:
                return found


def _not_older_than(as_of: AsOf, things: Sequence[Json]) -> AsOf:
    """As new as the last change of any of these, by Commet's clock: a payment must not look newer than the
    subscription that it brought back.
    """
    changed = (moment(each.get("updated_at") or None) for each in things)
    return replace(as_of, at=max(as_of.at, *filter(None, changed)))


def _concerning(subscription: Json, invoices: Sequence[Json]) -> list[Json]:
    """What it owes, what it ended for, or what it was paid with last."""
    match subscription.get("status"):
        case "past_due":
            return [each for each in invoices if each.get("status") == "outstanding" and is_renewal(each)]
        case "canceled":
            return [each for each in _newest(invoices) if each.get("status") == "uncollectible"]
        case _:
            return _newest(each for each in invoices if each.get("status") == "paid")


def _given_up(invoices: Sequence[Json]) -> bool:
    """Whether its retries ran out: nothing else makes an invoice uncollectible (docs: Payment Failures)."""
    return any(each.get("status") == "uncollectible" for each in _newest(invoices))


def _newest(invoices: Iterable[Json]) -> list[Json]:
    """One at most; lists name no order."""
    newest = max(invoices, key=lambda each: moment(each.get("created_at") or None) or LONG_AGO, default=None)
    return [newest] if newest else []
