"""Saving a card without a charge: set up, attached, and in most cases made the customer's default."""

from dataclasses import replace

from sandbox.stripe import customers
from sandbox.stripe.cards import Card
from sandbox.stripe.declines import APPROVED, SETUP_NOT_AUTHENTICATED, Decline, decline_for
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import Ledger
from sandbox.stripe.records import Customer, PaymentMethod, SetupIntent


def save(ledger: Ledger, customer: Customer, card: Card, now: int) -> PaymentMethod:
    """Save any card without a question, whatever its issuer will say to a charge."""
    method = customers.new_payment_method(ledger, card, now, name=customer.name, email=customer.email)
    intent = _open(ledger, customer, method, now)
    return _succeed(ledger, replace(intent, status="succeeded"), method, now)


def enter(ledger: Ledger, customer: Customer, card: Card, now: int, *, default: bool = True) -> SetupIntent:
    """The customer enters a card: saved, refused, or waiting for 3D Secure, as the intent's status says."""
    method = customers.new_payment_method(ledger, card, now, name=customer.name, email=customer.email)
    intent = _open(ledger, customer, method, now)
    ledger.emit("setup_intent.created", intent, at=now)
    if card.at_setup != APPROVED:
        return _refuse(ledger, intent, decline_for(card.at_setup), now)
    if card.asks_at_setup:
        asking = replace(intent, status="requires_action")
        return ledger.change("setup_intent.requires_action", asking, at=now)
    _succeed(ledger, replace(intent, status="succeeded"), method, now, default=default)
    return ledger.get(SetupIntent, intent.id)


def answer(
    ledger: Ledger, intent: SetupIntent, now: int, *, confirmed: bool, default: bool = True
) -> SetupIntent:
    """What the customer has told the bank; raises ApiError when it has not asked."""
    if intent.status != "requires_action":
        raise ApiError.invalid(
            f"This SetupIntent has a status of {intent.status}.", code="setup_intent_unexpected_state"
        )
    if not confirmed:
        return _refuse(ledger, intent, SETUP_NOT_AUTHENTICATED, now)
    known = ledger.put(replace(intent.tried, card=intent.tried.card.authenticated()))
    _succeed(ledger, replace(intent, status="succeeded"), known, now, default=default)
    return ledger.get(SetupIntent, intent.id)


def _open(ledger: Ledger, customer: Customer, method: PaymentMethod, now: int) -> SetupIntent:
    return ledger.put(
        SetupIntent(
            id=ledger.ids.new("seti"),
            created=now,
            customer=customer.id,
            tried=method,
            status="requires_confirmation",
        )
    )


def _succeed(
    ledger: Ledger, intent: SetupIntent, method: PaymentMethod, now: int, *, default: bool = True
) -> PaymentMethod:
    customer = ledger.get(Customer, intent.customer)
    ledger.put(intent)
    attached = customers.attach(ledger, method, customer, now)
    ledger.emit("setup_intent.succeeded", intent, at=now)
    if default:
        customers.make_default(ledger, customer, attached, now)
    return attached


def _refuse(ledger: Ledger, intent: SetupIntent, decline: Decline, now: int) -> SetupIntent:
    refused = replace(intent, status="requires_payment_method", decline=decline)
    return ledger.change("setup_intent.setup_failed", refused, at=now)
