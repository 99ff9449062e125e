"""One try to charge a card for an invoice."""

from dataclasses import dataclass, replace

from sandbox.stripe.declines import APPROVED, REQUIRES_ACTION, Decline, decline_for
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.records import (
    Charge,
    Customer,
    Invoice,
    InvoicePayment,
    PaymentError,
    PaymentIntent,
    PaymentMethod,
    Subscription,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of it. Without `charge` nothing was charged: no card, a refused card, or 3D Secure first."""

    method: PaymentMethod | None = None
    charge: Charge | None = None
    decline: Decline | None = None
    action_required: bool = False
    skipped: bool = False

    @property
    def succeeded(self) -> bool:
        return self.charge is not None and self.decline is None

    @property
    def hard(self) -> bool:
        """Whether the same card will not be charged again automatically."""
        return self.action_required or (self.decline is not None and self.decline.hard)


def payment_method_of(ledger: Ledger, subscription: Subscription) -> PaymentMethod | None:
    """The card Stripe charges: the subscription's own default goes before the customer's."""
    customer = ledger.get(Customer, subscription.customer)
    for method_id in (subscription.default_payment_method, customer.default_payment_method):
        if method_id is not None:
            method = ledger.get(PaymentMethod, method_id)
            if method.customer == customer.id:
                return method
    return None


def attempt(
    ledger: Ledger, invoice: Invoice, method: PaymentMethod, now: int, *, on_session: bool = False
) -> Attempt:
    """Charge the card for what the invoice is due, with the events of the charge and its intent.

    On-session the customer is there and confirms with the bank where that is asked for.
    """
    intent = ledger.get(PaymentIntent, invoice.payment_intent or "")
    outcome = ledger.next_outcome(method)
    asks_customer = outcome in (REQUIRES_ACTION, "authentication_required")
    if outcome == APPROVED or (asks_customer and on_session):
        return _succeed(ledger, invoice, intent, method, now, authenticated=asks_customer)
    if outcome == REQUIRES_ACTION:
        waiting = replace(intent, status="requires_action", payment_method=method.id, error=None)
        ledger.change("payment_intent.requires_action", waiting, at=now)
        return Attempt(method=method, action_required=True)
    return _decline(ledger, invoice, intent, method, decline_for(outcome), now)


def open_intent(ledger: Ledger, invoice: Invoice, now: int) -> PaymentIntent:
    """The intent and its link that a finalised invoice gets."""
    intent = PaymentIntent(
        id=ledger.ids.new("pi"),
        created=now,
        amount=invoice.total,
        currency=invoice.currency,
        customer=invoice.customer,
        invoice=invoice.id,
        description="Subscription creation"
        if invoice.billing_reason == "subscription_create"
        else "Subscription update",
    )
    ledger.emit("payment_intent.created", ledger.put(intent), at=now)
    ledger.put(
        InvoicePayment(
            id=ledger.ids.new("inpay"),
            created=now,
            invoice=invoice.id,
            payment_intent=intent.id,
            amount_requested=invoice.total,
            currency=invoice.currency,
        )
    )
    return intent


def cancel_intent(ledger: Ledger, invoice: Invoice, now: int) -> None:
    """Give up the intent of a voided or otherwise settled invoice."""
    if invoice.payment_intent is None:
        return
    intent = ledger.get(PaymentIntent, invoice.payment_intent)
    if intent.status not in ("succeeded", "canceled"):
        canceled = replace(intent, status="canceled", canceled_at=now, cancellation_reason="void_invoice")
        ledger.change("payment_intent.canceled", canceled, at=now)
    for link in ledger.of(InvoicePayment, invoice.id):
        if link.status == "open":
            ledger.put(replace(link, status="canceled", canceled_at=now))


def _succeed(
    ledger: Ledger,
    invoice: Invoice,
    intent: PaymentIntent,
    method: PaymentMethod,
    now: int,
    *,
    authenticated: bool,
) -> Attempt:
    charge = _charge(ledger, invoice, intent, method, now, authenticated=authenticated)
    ledger.emit("charge.succeeded", charge, at=now)
    paid = replace(intent, status="succeeded", payment_method=method.id, latest_charge=charge.id, error=None)
    ledger.change("payment_intent.succeeded", paid, at=now)
    for link in ledger.of(InvoicePayment, invoice.id):
        if link.payment_intent == intent.id:
            settled = replace(link, status="paid", amount_paid=intent.amount, paid_at=now)
            ledger.change("invoice_payment.paid", settled, at=now)
    return Attempt(method=method, charge=charge)


def _decline(
    ledger: Ledger,
    invoice: Invoice,
    intent: PaymentIntent,
    method: PaymentMethod,
    decline: Decline,
    now: int,
) -> Attempt:
    charge = _charge(ledger, invoice, intent, method, now, decline=decline)
    ledger.emit("charge.failed", charge, at=now)
    failed = replace(
        intent,
        status="requires_payment_method",
        payment_method=None,
        latest_charge=charge.id,
        error=PaymentError(decline=decline, charge=charge.id, payment_method=method),
    )
    ledger.change("payment_intent.payment_failed", failed, at=now)
    return Attempt(
        method=method, charge=charge, decline=decline, action_required=decline.needs_authentication
    )


def _charge(
    ledger: Ledger,
    invoice: Invoice,
    intent: PaymentIntent,
    method: PaymentMethod,
    now: int,
    *,
    decline: Decline | None = None,
    authenticated: bool = False,
) -> Charge:
    return ledger.put(
        Charge(
            id=ledger.ids.new("ch"),
            created=now,
            amount=intent.amount,
            currency=intent.currency,
            customer=invoice.customer,
            invoice=invoice.id,
            payment_intent=intent.id,
            payment_method=method,
            description=intent.description,
            authenticated=authenticated,
            decline=decline,
        )
    )
