"""An invoice of Stripe's read back with all that belongs to it: customer, subscription, charges; as facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dunning.events import AsOf, BillingEvent, ClockMoved
from providers.fields import Json, flag
from providers.stripe.client import StripeApi
from providers.stripe.ledger import amount_refunded, ledger_of, payments_of, processing_since
from providers.stripe.methods import methods_of
from providers.stripe.objects import customer_seen, invoice_seen, subscription_of, subscription_seen

# Four levels are as deep as Stripe expands. The default methods tell which card will be charged next.
OF_THE_CUSTOMER = ["customer", "customer.invoice_settings.default_payment_method"]
EXPANDED_SUBSCRIPTION = [*OF_THE_CUSTOMER, "default_payment_method"]
EXPANDED_INVOICE = [
    *OF_THE_CUSTOMER,
    "parent.subscription_details.subscription",
    "parent.subscription_details.subscription.default_payment_method",
    "payments.data.payment.payment_intent",
]


async def read_invoice(
    api: StripeApi, ref: str, as_of: AsOf, *, late: bool = False
) -> Sequence[BillingEvent]:
    """Facts of an invoice, its customer, subscription and charges.

    None of one that Stripe does not know, or that bills no subscription. `late`: long after it failed, so
    that a bank debit has not failed just now.
    """
    invoice = await fetch_invoice(api, ref)
    return await facts_of(api, invoice, as_of, late=late) if invoice else ()


async def fetch_invoice(api: StripeApi, ref: str) -> Json | None:
    """The invoice with its customer, subscription and payments; None as for `read_invoice`."""
    invoice = await api.read("/v1/invoices", ref, expand=EXPANDED_INVOICE)
    return invoice if invoice and subscription_of(invoice) is not None else None


async def facts_of(
    api: StripeApi, invoice: Json, as_of: AsOf, *, late: bool = False
) -> Sequence[BillingEvent]:
    """What such an invoice says, and what its charges do, which are asked for now."""
    payments = await payments_of(api, invoice)
    seen = replace(
        invoice_seen(invoice, as_of),
        processing_since=processing_since(payments, as_of),
        amount_refunded=amount_refunded(payments),
    )
    facts: list[BillingEvent] = [seen, *person(invoice, as_of)]
    if subscription := billed_by(invoice):
        facts.append(subscription_seen(subscription, as_of))
        facts += methods_of(subscription, as_of)
    if flag(invoice, "attempted"):
        facts += ledger_of(seen, payments, late=late)
    return facts


def billed_by(invoice: Json) -> Json | None:
    """The subscription that it bills, where it came expanded."""
    found = subscription_of(invoice)
    return found if isinstance(found, dict) else None


def person(thing: Json, as_of: AsOf) -> list[BillingEvent]:
    """The customer, where expanded, and what they pay with.

    One on a test clock tells that the clock has reached the event's time.
    """
    customer = thing.get("customer")
    if not isinstance(customer, dict):
        return []
    seen = customer_seen(customer, as_of)
    clock = [ClockMoved(seen.test_clock, as_of.at)] if seen.test_clock else []
    return [seen, *clock, *methods_of(thing, as_of)]
