"""All that a running business has at Stripe, page by page: its subscriptions, and what is open.

Stripe lists newest first, so what is made meanwhile stands before the first page, and its events tell of it.
Test-clock objects are left out of lists that name no clock (docs: Test clocks).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dunning.events import AsOf, BillingEvent, ClockMoved
from providers.fields import Json, flag, moment, parts, ref, required
from providers.lookup import MalformedEventError
from providers.mirror import Listed
from providers.pacing import Pace
from providers.stripe.client import TIMEOUT, StripeApi
from providers.stripe.objects import invoice_seen, subscription_of, subscription_seen
from providers.stripe.reading import person, read_invoice

# Stripe's own most.
A_PAGE = 100
# Of one page; each is two questions.
READ_AT_ONCE = 10
# Our clock may be ahead of Stripe's, and an event of a moment after the reading must not look older than it.
CLOCKS_DIFFER_BY = timedelta(minutes=1)
EXPANDED = [
    "data.customer",
    "data.customer.invoice_settings.default_payment_method",
    "data.default_payment_method",
]
# What cannot have an invoice that is still to be dunned.
PAID_OR_OVER = frozenset({"active", "trialing", "canceled", "incomplete_expired"})


class PacedApi(StripeApi):
    """Stripe's API for many questions in a row."""

    def __init__(
        self,
        api_key: str,
        pace: Pace,
        *,
        account: str | None = None,
        api_base: str | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        super().__init__(api_key, account=account, api_base=api_base, timeout=timeout)
        self.pace = pace

    async def _turn(self) -> None:
        await self.pace.turn()


@dataclass(slots=True)
class StripeListing:
    """Pages of one account. Each raises ProviderUnavailableError after minutes of trying, or RefusedError."""

    api: PacedApi
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _clocks: dict[str, datetime] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READ_AT_ONCE))

    async def clocks(self) -> Mapping[str, datetime]:
        """Every test clock with its time; call it first where there are any."""
        after: str | None = None
        while True:
            clocks = self.api.v1.test_helpers.test_clocks
            found = await self._list(clocks.list_async, {}, after)
            for each in parts(found, "data"):
                reached = moment(each.get("frozen_time"))
                if reached:
                    self._clocks[str(required(each, "id"))] = reached
            after = _last(found)
            if after is None:
                return dict(self._clocks)

    async def subscriptions(self, after: str | None, clock: str | None = None) -> Listed:
        """With customers and ways to pay. On a test clock, with what is open of those in trouble as well."""
        read_at = self.now()
        narrowed = {"test_clock": clock} if clock else {}
        wanted = {"status": "all", "expand": EXPANDED, **narrowed}
        found = await self._list(self.api.v1.subscriptions.list_async, wanted, after)
        listed = parts(found, "data")
        facts: list[BillingEvent] = [ClockMoved(clock, self._clocks[clock])] if clock else []
        unreadable: list[str] = []
        as_of = self._as_of(read_at, clock)
        for each in listed:
            try:
                facts += [subscription_seen(each, as_of), *person(each, as_of)]
            except MalformedEventError:
                unreadable.append(ref(each) or "subscription")
        open_ones = [await self._open(None, {"subscription": each}) for each in _troubled(listed) if clock]
        facts += (fact for page in open_ones for fact in page.facts)
        read = sum(page.invoices_read for page in open_ones)
        return Listed(tuple(facts), len(listed), read, _last(found), tuple(unreadable))

    async def open_invoices(self, after: str | None) -> Listed:
        """With the charges of those that have been tried."""
        return await self._open(after, {})

    async def _open(self, after: str | None, narrowed: Mapping[str, str]) -> Listed:
        read_at = self.now()
        found = await self._list(self.api.v1.invoices.list_async, {"status": "open", **narrowed}, after)
        listed = parts(found, "data")
        read = await asyncio.gather(*(self._invoice(each, read_at) for each in listed))
        return Listed(
            tuple(fact for each in read for fact in each or ()),
            len(listed),
            sum(was_charged(each) for each in listed),
            _last(found),
            tuple(ref(each) or "invoice" for each, facts in zip(listed, read, strict=True) if facts is None),
        )

    async def _invoice(self, invoice: Json, read_at: datetime) -> Sequence[BillingEvent] | None:
        """None: it cannot be read."""
        try:
            if not was_charged(invoice):
                known = subscription_of(invoice) is not None
                return [invoice_seen(invoice, self._as_of(read_at, _clock(invoice)))] if known else []
            async with self._slots:
                as_of = self._as_of(self.now(), _clock(invoice))
                name = str(required(invoice, "id"))
                return await self.api.pace.patiently(lambda: read_invoice(self.api, name, as_of, late=True))
        except MalformedEventError:
            return None

    async def _list(self, ask: Callable[[Any], Awaitable[Any]], wanted: Json, after: str | None) -> Json:
        params = {"limit": A_PAGE, **wanted, **({"starting_after": after} if after else {})}
        return await self.api.pace.patiently(lambda: self.api.have_done(ask(params)))

    def _as_of(self, read_at: datetime, clock: str | None) -> AsOf:
        """By the clock that the object lives by."""
        return AsOf(self._clocks.get(clock or "", read_at - CLOCKS_DIFFER_BY), read_at=read_at)


def was_charged(invoice: Json) -> bool:
    """One that is sent for payment by hand opens no case, whatever was tried, nor does a one-off."""
    by_hand = invoice.get("collection_method") == "send_invoice"
    return invoice.get("attempted") is True and not by_hand and subscription_of(invoice) is not None


def _troubled(subscriptions: Sequence[Json]) -> list[str]:
    wanted = (each for each in subscriptions if each.get("status") not in PAID_OR_OVER)
    return [str(required(each, "id")) for each in wanted]


def _clock(invoice: Json) -> str | None:
    return ref(invoice.get("test_clock"))


def _last(found: Json) -> str | None:
    objects = parts(found, "data")
    return ref(objects[-1]) if objects and flag(found, "has_more") else None
