"""Customers and their cards."""

from dataclasses import replace

from sandbox.stripe import standing
from sandbox.stripe.cards import Card
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ids import derived
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.records import Customer, PaymentMethod, Subscription


def create(ledger: Ledger, customer: Customer, now: int) -> Customer:
    """Add a customer; the prefix of its invoice numbers follows from its id."""
    known = ledger.put(replace(customer, invoice_prefix=derived(customer.id, "prefix", 8).upper()))
    ledger.emit("customer.created", known, at=now)
    return known


def delete(ledger: Ledger, customer: Customer, now: int) -> Customer:
    """Remove a customer; all subscriptions end at once."""
    for subscription in ledger.of(Subscription, customer.id):
        if not subscription.ended:
            standing.end(ledger, subscription, "cancellation_requested", now)
    gone = ledger.put(replace(ledger.get(Customer, customer.id), deleted=True))
    ledger.emit("customer.deleted", gone, at=now)
    return gone


def new_payment_method(
    ledger: Ledger, card: Card, now: int, *, name: str | None = None, email: str | None = None
) -> PaymentMethod:
    """A card that belongs to nobody yet."""
    return ledger.put(
        PaymentMethod(id=ledger.ids.new("pm"), created=now, card=card, billing_name=name, billing_email=email)
    )


def attach(ledger: Ledger, method: PaymentMethod, customer: Customer, now: int) -> PaymentMethod:
    """Save the card for the customer; raises ApiError when it belongs to another one."""
    if method.customer == customer.id:
        return method
    if method.customer is not None:
        raise ApiError.invalid(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    attached = ledger.put(replace(method, customer=customer.id))
    ledger.emit("payment_method.attached", attached, at=now)
    return attached


def detach(ledger: Ledger, method: PaymentMethod, now: int) -> PaymentMethod:
    """Take the card away; whatever had it as its default has none afterwards."""
    if method.customer is None:
        raise ApiError.invalid("The payment method you provided is not attached to a customer.")
    customer = ledger.get(Customer, method.customer)
    if customer.default_payment_method == method.id:
        changed = replace(customer, default_payment_method=None)
        ledger.change("customer.updated", changed, at=now)
    for subscription in ledger.of(Subscription, customer.id):
        if subscription.default_payment_method == method.id and not subscription.ended:
            bare = replace(subscription, default_payment_method=None)
            ledger.change("customer.subscription.updated", bare, at=now)
    return ledger.change("payment_method.detached", replace(method, customer=None), at=now)


def make_default(ledger: Ledger, customer: Customer, method: PaymentMethod, now: int) -> Customer:
    """Let invoices be charged to this card; by itself that retries nothing."""
    if method.customer != customer.id:
        raise ApiError.invalid(
            f"The customer does not have a payment method with the ID {method.id}. The payment method must "
            "be attached to the customer.",
            code="resource_missing",
            param="invoice_settings[default_payment_method]",
        )
    if customer.default_payment_method == method.id:
        return customer
    changed = replace(customer, default_payment_method=method.id)
    return ledger.change("customer.updated", changed, at=now)


def replace_card(
    ledger: Ledger, method: PaymentMethod, card: Card, now: int, *, by_network: bool
) -> PaymentMethod:
    """New details under the same id: from the card network's updater, or entered by hand."""
    ledger.restart_card(method.id)
    kind = "payment_method.automatically_updated" if by_network else "payment_method.updated"
    return ledger.change(kind, replace(method, card=card), at=now)
