"""The only module that calls Stripe. Every answer is plain JSON turned into facts, never an SDK object."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import Any

import stripe

from dunning.account import PAYING
from dunning.events import AsOf, BillingEvent, ClockMoved, InvoiceSeen, LedgerRead, PaymentFailed
from providers.fields import Json, flag, part, parts, ref, text
from providers.lookup import Lookup, Normalised, NothingToPayError, ProviderUnavailableError, Subject
from providers.stripe import normalise
from providers.stripe_objects import (
    charge_failed,
    customer_seen,
    invoice_seen,
    subscription_of,
    subscription_seen,
)

# Seconds. Short, because whoever asks can come back; the library's own default is 80.
TIMEOUT = 8.0
CONFIRMATION_WANTED: Json = {"code": "payment_intent_action_required"}
EXPANDED_INVOICE = [
    "customer",
    "parent.subscription_details.subscription",
    "payments.data.payment.payment_intent",
]


class StripeGateway:
    """Answers lookups from Stripe's API, in the client library's pinned version.

    `api_base` replaces https://api.stripe.com, for a simulated Stripe on loopback. `timeout` is in seconds.
    """

    def __init__(self, api_key: str, *, api_base: str | None = None, timeout: float = TIMEOUT) -> None:
        self._client = stripe.StripeClient(
            api_key,
            max_network_retries=1,
            http_client=stripe.HTTPXClient(timeout=timeout),
            base_addresses={"api": api_base} if api_base else {},
        )
        self._products: dict[str, str | None] = {}

    async def look_up(self, lookup: Lookup) -> Normalised:
        match lookup.subject:
            case Subject.INVOICE:
                return Normalised(await self._invoice(lookup, lookup.ref))
            case Subject.PAYMENT:
                return Normalised(await self._payment(lookup))
            case Subject.SUBSCRIPTION:
                return Normalised(await self._subscription(lookup))
            case Subject.EVENT:
                return await self._event(lookup)

    async def payment_link(self, invoice: str) -> str | None:
        """The hosted invoice page: confirms with the bank, takes another card, valid ten days at least."""
        found = await self._ask(self._client.v1.invoices.retrieve_async(invoice)) or {}
        if found.get("status") in ("paid", "void"):
            raise NothingToPayError(found["status"])
        return found.get("hosted_invoice_url") if found.get("status") == "open" else None

    async def product_name(self, product: str) -> str | None:
        """Asked once per process and product: names hardly change, and a mail may show yesterday's."""
        if product not in self._products:
            found = await self._ask(self._client.v1.products.retrieve_async(product))
            self._products[product] = found.get("name") if found else None
        return self._products[product]

    async def _invoice(self, lookup: Lookup, invoice_id: str) -> tuple[BillingEvent, ...]:
        as_of = _from_now_on(lookup)
        invoice = await self._ask(
            self._client.v1.invoices.retrieve_async(invoice_id, {"expand": EXPANDED_INVOICE})
        )
        if not invoice or subscription_of(invoice) is None:
            return ()
        seen = invoice_seen(invoice, as_of)
        facts: list[BillingEvent] = [seen]
        facts += _person(invoice, as_of)
        subscription = subscription_of(invoice)
        if isinstance(subscription, dict):
            facts.append(subscription_seen(subscription, as_of))
            facts += await self._others(subscription, invoice.get("customer"), as_of)
        if flag(invoice, "attempted"):
            facts += await self._ledger(seen, parts(invoice, "payments", "data"))
        return tuple(facts)

    async def _ledger(self, invoice: InvoiceSeen, payments: Sequence[Json]) -> list[BillingEvent]:
        """Every failed charge of the invoice, and the newest reason where no charge carries it."""
        customer, invoice_id, attempt = invoice.customer, invoice.invoice, invoice.attempt_count
        facts: list[BillingEvent] = []
        reason: Json = {}
        waiting = False
        for payment in payments:
            intent = part(payment, "payment").get("payment_intent")
            if not isinstance(intent, dict):
                continue
            # An intent that waits for the bank's confirmation has no error: nothing has been declined.
            asked = CONFIRMATION_WANTED if intent.get("status") == "requires_action" else None
            reason = part(intent, "last_payment_error") or asked or reason
            waiting = waiting or intent.get("status") == "requires_payment_method"
            charges = await self._ask(
                self._client.v1.charges.list_async({"payment_intent": ref(intent) or "", "limit": 100})
            )
            for charge in parts(charges or {}, "data"):
                fact = charge_failed(charge, customer=customer, invoice=invoice_id)
                if fact:
                    facts.append(fact)
                    facts.append(PaymentFailed(customer, invoice_id, fact.at, attempt))
        facts.append(
            LedgerRead(
                customer=customer,
                invoice=invoice_id,
                attempt=attempt,
                code=text(reason, "code"),
                decline_code=text(reason, "decline_code"),
                method_type=_method_type(reason),
                no_method=waiting and not reason and not facts,
            )
        )
        return facts

    async def _payment(self, lookup: Lookup) -> tuple[BillingEvent, ...]:
        """The invoice a payment belongs to; since basil only `invoice_payments` knows."""
        found = await self._ask(
            self._client.v1.invoice_payments.list_async(
                {"payment": {"type": "payment_intent", "payment_intent": lookup.ref}, "limit": 1}
            )
        )
        payments = parts(found or {}, "data")
        invoice = ref(payments[0].get("invoice")) if payments else None
        return await self._invoice(lookup, invoice) if invoice else ()

    async def _subscription(self, lookup: Lookup) -> tuple[BillingEvent, ...]:
        as_of = _from_now_on(lookup)
        found = await self._ask(
            self._client.v1.subscriptions.retrieve_async(lookup.ref, {"expand": ["customer"]})
        )
        if not found:
            return ()
        others = await self._others(found, found.get("customer"), as_of)
        return (subscription_seen(found, as_of), *_person(found, as_of), *others)

    async def _others(self, subscription: Json, customer: Any, as_of: AsOf) -> list[BillingEvent]:
        """The customer's others, if this one is in trouble: no event tells of what is older than we are."""
        gone = not isinstance(customer, dict) or flag(customer, "deleted")
        if gone or subscription.get("status") in PAYING:
            return []
        whose = ref(customer) or ""
        found = await self._ask(self._client.v1.subscriptions.list_async({"customer": whose, "limit": 100}))
        live = parts(found or {}, "data")
        return [subscription_seen(each, as_of) for each in live if ref(each) != ref(subscription)]

    async def _event(self, lookup: Lookup) -> Normalised:
        """A thin event's snapshot twin, or nothing when it has none."""
        found = await self._ask(self._client.v2.core.events.retrieve_async(lookup.ref))
        twin = text(found, "snapshot_event") if found else None
        if not twin:
            return Normalised()
        snapshot = await self._ask(self._client.v1.events.retrieve_async(twin))
        return normalise(snapshot) if snapshot else Normalised()

    async def _ask(self, call: Awaitable[Any]) -> dict[str, Any] | None:
        """Plain JSON, or None for what Stripe does not know. Raises ProviderUnavailableError."""
        try:
            answer: dict[str, Any] = (await call).to_dict()
        except stripe.InvalidRequestError as error:
            if error.http_status == 404:
                return None
            raise
        except stripe.StripeError as error:
            # Only the kind of error: its text may hold what was asked for.
            slower = isinstance(error, stripe.RateLimitError)
            raise ProviderUnavailableError(type(error).__name__, passing=slower) from None
        return answer


def _from_now_on(lookup: Lookup) -> AsOf:
    """What is asked now is as new as this moment, and as the event that made us ask."""
    return AsOf(lookup.at, read_at=datetime.now(UTC))


def _person(thing: Json, as_of: AsOf) -> list[BillingEvent]:
    """The customer, where expanded. One on a test clock tells that the clock has reached the event's time."""
    customer = thing.get("customer")
    if not isinstance(customer, dict):
        return []
    seen = customer_seen(customer, as_of)
    return [seen, ClockMoved(seen.test_clock, as_of.at)] if seen.test_clock else [seen]


def _method_type(reason: Json) -> str | None:
    method = reason.get("payment_method")
    expanded = text(method, "type") if isinstance(method, dict) else None
    return text(reason, "payment_method_type") or expanded
