"""Commet as a Gateway: what is read back is turned into facts, and its pages are made for one click.

It charges, retries and cancels by itself, so nothing of that is done here.
"""

from __future__ import annotations

from datetime import UTC, datetime

from dunning.events import AsOf
from providers.commet import returning
from providers.commet.client import TIMEOUT, CommetApi
from providers.commet.reading import CommetReading
from providers.commet.told import EXHAUSTED
from providers.fields import part, text
from providers.links import pay_link
from providers.lookup import (
    Lookup,
    Normalised,
    NothingToPayError,
    ProviderUnavailableError,
    RefusedError,
    Subject,
)
from providers.refusing import Refusing


class CommetGateway(Refusing):
    """Answers lookups from Commet's API.

    `livemode` is what its answers must be of; `api_base` replaces https://commet.co, for a simulated Commet
    on loopback; `timeout` is in seconds. Belongs to one event loop.
    """

    def __init__(
        self, api_key: str, *, livemode: bool, api_base: str | None = None, timeout: float = TIMEOUT
    ) -> None:
        self._api = CommetApi(api_key, livemode=livemode, api_base=api_base, timeout=timeout)
        self._reading = CommetReading(self._api)

    async def look_up(self, lookup: Lookup) -> Normalised:
        as_of = as_of_now(lookup.at)
        try:
            match lookup.subject:
                case Subject.INVOICE:
                    return Normalised(tuple(await self._reading.invoice(lookup.ref, as_of)))
                case Subject.SUBSCRIPTION:
                    told = _told_why(lookup)
                    return Normalised(tuple(await self._reading.subscription(lookup.ref, as_of, told=told)))
                case Subject.CUSTOMER:
                    return Normalised(tuple(await self._reading.customer(lookup.ref, as_of)))
                case _:
                    return Normalised()
        except RefusedError as refused:
            raise ProviderUnavailableError(refused.code) from None

    async def payment_link(self, invoice: str) -> str | None:
        """A signed link that is good until the renewal is paid or given up, so that a mail may hold it."""
        try:
            found = await self._api.read("invoices", invoice) or {}
            if found.get("status") in ("paid", "void"):
                raise NothingToPayError(found["status"])
            subscription = text(found, "subscription_id")
            if subscription is None or found.get("status") != "outstanding":
                return None
            made = await self._api.recovery_link(subscription)
        except RefusedError:
            # It is not past due any more, or not yet.
            return None
        return pay_link(text(made, "url"))

    async def product_name(self, product: str) -> str | None:
        """A subscription comes with its plan's name, and names no product."""
        return None

    async def begin_again(self, subscription: str, back: str) -> str | None:
        """Commet's checkout, for a new subscription to the same plan at the same price, without a trial."""
        return await returning.begin_again(self._api, subscription, back)

    async def method_page(self, customer: str, back: str) -> str:
        """Of Commet's customer portal, where another card is saved, and the renewal retried with it."""
        try:
            made = await self._api.portal_session(customer, back)
        except RefusedError as refused:
            raise ProviderUnavailableError(refused.code) from None
        url = pay_link(text(made, "portal_url"))
        if url is None:
            raise ProviderUnavailableError("no_page")
        return url


def _told_why(lookup: Lookup) -> bool | None:
    """Whether it ended for want of payment, where the event that made us ask tells of an end."""
    data = part(lookup.event or {}, "data")
    return text(data, "cancelReason") == EXHAUSTED if "cancelReason" in data else None


def as_of_now(at: datetime) -> AsOf:
    """What is asked now is as new as this moment, and as what made us ask."""
    return AsOf(at, read_at=datetime.now(UTC))
