"""Full JSON bodies of Stripe's objects, in the shape of a chosen API version."""

from collections.abc import Callable
from typing import Any

from sandbox.stripe.objects.catalogue import application, price, product, test_clock
from sandbox.stripe.objects.charge import charge
from sandbox.stripe.objects.checkout import checkout_session, line_items
from sandbox.stripe.objects.common import Json
from sandbox.stripe.objects.customers import customer, payment_method
from sandbox.stripe.objects.event import changed_attributes, event_body, full_thin_event, thin_event
from sandbox.stripe.objects.invoice import confirmation_secret, invoice
from sandbox.stripe.objects.payments import error_body, invoice_payment, payment_error, payment_intent
from sandbox.stripe.objects.portal import portal_session
from sandbox.stripe.objects.setups import setup_intent
from sandbox.stripe.objects.subscription import subscription
from sandbox.stripe.records import (
    Application,
    Charge,
    CheckoutSession,
    Customer,
    Event,
    Invoice,
    InvoicePayment,
    PaymentIntent,
    PaymentMethod,
    PortalSession,
    Price,
    Product,
    Record,
    SetupIntent,
    Subscription,
    TestClock,
)
from sandbox.stripe.versions import ApiVersion

__all__ = [
    "Json",
    "confirmation_secret",
    "error_body",
    "full_thin_event",
    "line_items",
    "payment_error",
    "render",
    "render_event",
    "thin_event",
]

_RENDERERS: dict[type[Record], Callable[[Any, ApiVersion], Json]] = {
    Application: application,
    Charge: charge,
    CheckoutSession: checkout_session,
    Customer: customer,
    Invoice: invoice,
    InvoicePayment: invoice_payment,
    PaymentIntent: payment_intent,
    PaymentMethod: payment_method,
    PortalSession: portal_session,
    Price: price,
    Product: product,
    SetupIntent: setup_intent,
    Subscription: subscription,
    TestClock: test_clock,
}


def render(record: Record, version: ApiVersion) -> Json:
    """The object's body; every field Stripe sends is there, null or empty where unused."""
    if isinstance(record, Event):
        return render_event(record, version)
    return _RENDERERS[type(record)](record, version)


def render_event(event: Event, version: ApiVersion) -> Json:
    """The event with its object as it was then, and what the object was before."""
    after = render(event.subject, version)
    before = changed_attributes(render(event.before, version), after) if event.before else None
    return event_body(event, after, before, version)
