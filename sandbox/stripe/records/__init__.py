"""What the simulated account knows, as immutable values: a change makes a new one, old events keep the old.

Times are unix seconds, amounts are in the currency's minor unit as Stripe defines it.
"""

from sandbox.stripe.records.base import (
    Application,
    Event,
    Record,
    RequestRef,
    TestClock,
)
from sandbox.stripe.records.billing import (
    Invoice,
    InvoiceLine,
    Subscription,
    SubscriptionItem,
)
from sandbox.stripe.records.checkout import CheckoutSession, LineItem
from sandbox.stripe.records.customers import (
    Customer,
    PaymentMethod,
    PortalSession,
    Price,
    Product,
    SetupIntent,
)
from sandbox.stripe.records.payments import (
    Charge,
    InvoicePayment,
    PaymentError,
    PaymentIntent,
)

__all__ = [
    "Application",
    "Charge",
    "CheckoutSession",
    "Customer",
    "Event",
    "Invoice",
    "InvoiceLine",
    "InvoicePayment",
    "LineItem",
    "PaymentError",
    "PaymentIntent",
    "PaymentMethod",
    "PortalSession",
    "Price",
    "Product",
    "Record",
    "RequestRef",
    "SetupIntent",
    "Subscription",
    "SubscriptionItem",
    "TestClock",
]
