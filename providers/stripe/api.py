"""Stripe as a Gateway: what is read back is turned into facts, as of the event that made us ask."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from dunning.account import PAYING
from dunning.events import AsOf, BillingEvent
from providers.fields import Json, flag, parts, ref
from providers.lookup import Charged, EndAction, Lookup, Normalised, NothingToPayError, Subject
from providers.stripe import actions as stripe_actions
from providers.stripe import new_method as stripe_new_method
from providers.stripe import pages as stripe_pages
from providers.stripe import returning as stripe_return
from providers.stripe import thin
from providers.stripe.client import TIMEOUT, StripeApi
from providers.stripe.methods import methods_of
from providers.stripe.objects import subscription_seen
from providers.stripe.reading import (
    EXPANDED_SUBSCRIPTION,
    billed_by,
    facts_of,
    fetch_invoice,
    person,
)


class StripeGateway:
    """Answers lookups from Stripe's API, and does there what the policy asks for.

    `account` is a connected one, as for `StripeApi`. `api_base` replaces https://api.stripe.com, for a
    simulated Stripe on loopback. `timeout` is in seconds.
    """

    def __init__(
        self,
        api_key: str,
        *,
        account: str | None = None,
        api_base: str | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self._api = StripeApi(api_key, account=account, api_base=api_base, timeout=timeout)
        self._products: dict[str, str | None] = {}

    async def look_up(self, lookup: Lookup) -> Normalised:
        match lookup.subject:
            case Subject.INVOICE:
                return Normalised(await self._invoice(lookup, lookup.ref))
            case Subject.PAYMENT:
                return Normalised(await self._payment(lookup))
            case Subject.SUBSCRIPTION:
                return Normalised(await self._subscription(lookup))
            case Subject.CUSTOMER:
                return Normalised(await self._customer(lookup))
            case Subject.EVENT:
                return await thin.say(self._api, lookup)

    async def payment_link(self, invoice: str) -> str | None:
        """The hosted invoice page: confirms with the bank, takes another card, valid ten days at least."""
        found = await self._api.read("/v1/invoices", invoice) or {}
        if found.get("status") in ("paid", "void"):
            raise NothingToPayError(found["status"])
        return found.get("hosted_invoice_url") if found.get("status") == "open" else None

    async def product_name(self, product: str) -> str | None:
        """Asked once per process and product: names hardly change, and a mail may show yesterday's."""
        if product not in self._products:
            found = await self._api.read("/v1/products", product)
            self._products[product] = found.get("name") if found else None
        return self._products[product]

    async def pay(self, invoice: str, key: str, *, present: bool = False, anew: bool = False) -> Charged:
        if anew:
            return await stripe_new_method.pay_anew(self._api, invoice, key, present=present)
        return await stripe_actions.pay(self._api, invoice, key, present=present)

    async def method_page(self, customer: str, back: str) -> str:
        """Of Stripe's customer portal; an address of it lives for minutes (docs: Customer portal, flows)."""
        return await stripe_pages.method_page(self._api, customer, back)

    async def end(self, subscription: str, action: EndAction, key: str) -> None:
        if action == "void":
            await stripe_return.void_unpaid(self._api, subscription, key)
        else:
            await stripe_actions.end(self._api, subscription, action, key)

    async def begin_again(self, subscription: str, back: str) -> str | None:
        """Checkout, whose sessions live for a day and are completed once."""
        return await stripe_return.begin_again(self._api, subscription, back)

    async def revive(self, subscription: str) -> str:
        return await stripe_return.revive(self._api, subscription)

    async def _invoice(self, lookup: Lookup, invoice_id: str) -> tuple[BillingEvent, ...]:
        as_of = _from_now_on(lookup)
        invoice = await fetch_invoice(self._api, invoice_id)
        if invoice is None:
            return ()
        # Neither needs the other's answer, and each takes Stripe a good part of a second.
        facts, others = await asyncio.gather(
            facts_of(self._api, invoice, as_of),
            self._others(billed_by(invoice), invoice.get("customer"), as_of),
        )
        return (*facts, *others)

    async def _payment(self, lookup: Lookup) -> tuple[BillingEvent, ...]:
        """The invoice a payment belongs to; since basil only `invoice_payments` knows."""
        found = await self._api.read(
            "/v1/invoice_payments",
            payment={"type": "payment_intent", "payment_intent": lookup.ref},
            limit=1,
        )
        payments = parts(found or {}, "data")
        invoice = ref(payments[0].get("invoice")) if payments else None
        return await self._invoice(lookup, invoice) if invoice else ()

    async def _subscription(self, lookup: Lookup) -> tuple[BillingEvent, ...]:
        as_of = _from_now_on(lookup)
        found = await self._api.read("/v1/subscriptions", lookup.ref, expand=EXPANDED_SUBSCRIPTION)
        if not found:
            return ()
        others = await self._others(found, found.get("customer"), as_of)
        return (subscription_seen(found, as_of), *person(found, as_of), *others)

    async def _customer(self, lookup: Lookup) -> tuple[BillingEvent, ...]:
        found = await self._api.read(
            "/v1/customers", lookup.ref, expand=["invoice_settings.default_payment_method"]
        )
        return tuple(person({"customer": found}, _from_now_on(lookup)))

    async def _others(self, subscription: Json | None, customer: Any, as_of: AsOf) -> list[BillingEvent]:
        """The customer's others, if this one is in trouble: no event tells of what is older than we are."""
        gone = not isinstance(customer, dict) or flag(customer, "deleted")
        if subscription is None or gone or subscription.get("status") in PAYING:
            return []
        found = await self._api.read(
            "/v1/subscriptions",
            customer=ref(customer) or "",
            limit=100,
            expand=["data.default_payment_method"],
        )
        others = [each for each in parts(found or {}, "data") if ref(each) != ref(subscription)]
        facts: list[BillingEvent] = [subscription_seen(each, as_of) for each in others]
        return [*facts, *(method for each in others for method in methods_of(each, as_of))]


def _from_now_on(lookup: Lookup) -> AsOf:
    """What is asked now is as new as this moment, and as the event that made us ask."""
    return AsOf(lookup.at, read_at=datetime.now(UTC))
