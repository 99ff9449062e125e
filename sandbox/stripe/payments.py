"""One try to charge a card for an invoice."""

from dataclasses import dataclass, replace

from sandbox.stripe.declines import (
    APPROVED,
    ASKING,
    REQUIRES_ACTION,
    Decline,
    decline_for,
    returned,
    under_way,
)
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.policy import DAY
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
        return self.charge is not None and self.charge.paid

    @property
    def pending(self) -> bool:
        """Whether its end comes later."""
        return self.charge is not None and self.charge.clears is not None

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
    later = under_way(outcome)
    if later is not None:
        return _begin(ledger, invoice, intent, method, now, days=later[0], clears=later[1])
    asks_customer = outcome in ASKING
    if outcome == APPROVED or (asks_customer and on_session):
        charge = _charge(ledger, invoice, intent, method, now, authenticated=asks_customer)
        return _succeed(ledger, intent, charge, now)
    if outcome == REQUIRES_ACTION:
        return ask(ledger, intent, method, now)
    charge = _charge(ledger, invoice, intent, method, now, decline=refusal(method, outcome))
    return _decline(ledger, intent, charge, now)


def ask(ledger: Ledger, intent: PaymentIntent, method: PaymentMethod, now: int) -> Attempt:
    """Wait for 3D Secure before anything is charged."""
    waiting = replace(intent, status="requires_action", payment_method=method.id, error=None)
    ledger.change("payment_intent.requires_action", waiting, at=now)
    return Attempt(method=method, action_required=True)


def is_under_way(ledger: Ledger, invoice: Invoice) -> bool:
    """Whether a bank has still to answer; nothing else is charged meanwhile."""
    if invoice.payment_intent is None:
        return False
    return ledger.get(PaymentIntent, invoice.payment_intent).status == "processing"


def clear(ledger: Ledger, charge: Charge, now: int) -> Attempt | None:
    """The bank answers to a pending charge; None when its payment was given up meanwhile."""
    intent = ledger.get(PaymentIntent, charge.payment_intent)
    if charge.clears is None or intent.status != "processing":
        return None
    answered = replace(charge, clears=None)
    if charge.clears == APPROVED:
        return _succeed(ledger, intent, ledger.put(answered), now)
    decline = refusal(charge.payment_method, charge.clears)
    return _decline(ledger, intent, ledger.put(replace(answered, decline=decline)), now)


def refusal(method: PaymentMethod, reason: str) -> Decline:
    """A card's refusal, or a bank account's."""
    return decline_for(reason) if method.card.type == "card" else returned(reason)


def _begin(
    ledger: Ledger,
    invoice: Invoice,
    intent: PaymentIntent,
    method: PaymentMethod,
    now: int,
    *,
    days: int,
    clears: str,
) -> Attempt:
    charge = _charge(ledger, invoice, intent, method, now, clears=clears)
    ledger.emit("charge.pending", charge, at=now)
    begun = replace(
        intent, status="processing", payment_method=method.id, latest_charge=charge.id, error=None
    )
    ledger.change("payment_intent.processing", begun, at=now)
    ledger.plan(invoice.test_clock, now + days * DAY, "clear", charge.id)
    return Attempt(method=method, charge=charge)


def _succeed(ledger: Ledger, intent: PaymentIntent, charge: Charge, now: int) -> Attempt:
    method = charge.payment_method
    ledger.emit("charge.succeeded", charge, at=now)
    paid = replace(intent, status="succeeded", payment_method=method.id, latest_charge=charge.id, error=None)
    ledger.change("payment_intent.succeeded", paid, at=now)
    for link in ledger.of(InvoicePayment, charge.invoice):
        if link.payment_intent == intent.id:
            settled = replace(link, status="paid", amount_paid=intent.amount, paid_at=now)
            ledger.change("invoice_payment.paid", settled, at=now)
    return Attempt(method=method, charge=charge)


def _decline(ledger: Ledger, intent: PaymentIntent, charge: Charge, now: int) -> Attempt:
    method, decline = charge.payment_method, charge.decline
    assert decline is not None  # noqa: S101  # whoever calls has just refused it; this tells mypy
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
    clears: str | None = None,
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
            clears=clears,
        )
    )
