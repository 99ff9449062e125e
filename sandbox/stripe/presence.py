"""A customer who is there: pays an invoice on a page, and answers when the bank asks."""

from dataclasses import replace

from sandbox.stripe import collection, customers, payments
from sandbox.stripe.declines import ASKING, NOT_AUTHENTICATED
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.payments import Attempt
from sandbox.stripe.records import Customer, Invoice, PaymentError, PaymentIntent, PaymentMethod


def waiting(ledger: Ledger, invoice: Invoice) -> PaymentMethod | None:
    """The card for which the bank has asked and nobody has answered yet."""
    if not invoice.payable or invoice.payment_intent is None:
        return None
    intent = ledger.get(PaymentIntent, invoice.payment_intent)
    if intent.status != "requires_action" or intent.payment_method is None:
        return None
    return ledger.get(PaymentMethod, intent.payment_method)


def pay(ledger: Ledger, invoice: Invoice, method: PaymentMethod, now: int) -> Attempt:
    """Charge the card, or let the bank ask first: then nothing is charged until `answer`.

    Raises ApiError when the invoice cannot be paid.
    """
    invoice = collection.ready(ledger, invoice, now)
    if ledger.coming_outcome(method) not in ASKING:
        return _keep(ledger, collection.pay(ledger, invoice, now, method=method), now)
    return payments.ask(ledger, ledger.get(PaymentIntent, invoice.payment_intent or ""), method, now)


def answer(ledger: Ledger, invoice: Invoice, now: int, *, confirmed: bool) -> Attempt:
    """What the customer has told the bank; raises ApiError when it has not asked."""
    method = waiting(ledger, invoice)
    if method is None:
        raise ApiError.invalid(
            "This PaymentIntent does not wait for an action.", code="payment_intent_unexpected_state"
        )
    if confirmed:
        return _keep(
            ledger, collection.pay(ledger, invoice, now, method=method, on_session=True), now, asked=True
        )
    intent = ledger.get(PaymentIntent, invoice.payment_intent or "")
    failed = replace(
        intent,
        status="requires_payment_method",
        payment_method=None,
        error=PaymentError(decline=NOT_AUTHENTICATED, charge=None, payment_method=method),
    )
    ledger.change("payment_intent.payment_failed", failed, at=now)
    attempt = Attempt(method=method, decline=NOT_AUTHENTICATED)
    collection.record(ledger, invoice, attempt, now, automatic=False)
    return attempt


def _keep(ledger: Ledger, attempt: Attempt, now: int, *, asked: bool = False) -> Attempt:
    """A card that was entered on the page and has paid is saved for the customer."""
    if attempt.charge is None or not attempt.succeeded:
        return attempt
    method = ledger.get(PaymentMethod, attempt.charge.payment_method.id)
    if method.customer is None:
        known = replace(method, card=method.card.authenticated()) if asked else method
        customers.attach(ledger, ledger.put(known), ledger.get(Customer, attempt.charge.customer), now)
    return attempt
