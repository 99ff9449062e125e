"""An invoice of Stripe's read back with all that belongs to it: customer, subscription, charges; as facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dunning.events import AsOf, BillingEvent, ClockMoved
from providers.fields import Json, flag
from providers.stripe_client import StripeApi
from providers.stripe_ledger import amount_refunded, ledger_of, payments_of, processing_since
from providers.stripe_methods import methods_of
from providers.stripe_objects import customer_seen, invoice_seen, subscription_of, subscription_seen

# Four levels are as deep as Stripe expands. The default methods tell which card will be charged next.
OF_THE_CUSTOMER = ["customer", "customer.invoice_settings.default_payment_method"]
EXPANDED_SUBSCRIPTION = [*OF_THE_CUSTOMER, "default_payment_method"]
EXPANDED_INVOICE = [
    *OF_THE_CUSTOMER,
    "parent.subscription_details.subscription",
    "parent.subscription_details.subscription.default_payment_method",
    "payments.data.payment.payment_intent",
]


@dataclass(frozen=True, slots=True)
class Read:
    """An invoice as it came, and the facts of it, of its customer, subscription and charges."""

    invoice: Json
    facts: Sequence[BillingEvent]

    @property
    def subscription(self) -> Json | None:
        """The one it bills, where it came expanded."""
        found = subscription_of(self.invoice)
        return found if isinstance(found, dict) else None


async def read_invoice(api: StripeApi, ref: str, as_of: AsOf, *, late: bool = False) -> Read | None:
    """None for one that Stripe does not know, or that bills no subscription.

    `late`: long after it failed, so that a bank debit has not failed just now.
    """
    invoice = await api.read("/v1/invoices", ref, expand=EXPANDED_INVOICE)
    if not invoice or subscription_of(invoice) is None:
        return None
    payments = await payments_of(api, invoice)
    seen = replace(
        invoice_seen(invoice, as_of),
        processing_since=processing_since(payments, as_of),
        amount_refunded=amount_refunded(payments),
    )
    facts: list[BillingEvent] = [seen, *person(invoice, as_of)]
    read = Read(invoice, facts)
    if read.subscription:
        facts.append(subscription_seen(read.subscription, as_of))
        facts += methods_of(read.subscription, as_of)
    if flag(invoice, "attempted"):
        facts += ledger_of(seen, payments, late=late)
    return read


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
