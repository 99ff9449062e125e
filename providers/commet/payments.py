"""Commet's events of payments as facts: a charge that failed, and money that came."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from dunning.events import (
    AsOf,
    BillingEvent,
    ChargeFailed,
    CustomerSeen,
    LedgerRead,
    PaymentFailed,
    PayPageSeen,
)
from providers.commet.told import NOT_DUNNED, SOMETHING, UNNUMBERED, Told, attempt_of
from providers.fields import moment, part, text
from providers.links import pay_link

# Payments name an invoice and tell little of it: any event about the invoice itself knows more.
IN_PASSING: Final = AsOf(datetime(1970, 1, 1, tzinfo=UTC))


def payment_failed(told: Told) -> list[BillingEvent]:
    context = part(told.data, "paymentContext")
    if text(told.data, "subscriptionId") is None or text(context, "reason") in NOT_DUNNED:
        return []
    recovery = part(context, "recovery")
    by_hand = text(recovery, "type") == "payment_recovery"
    attempt = attempt_of(context)
    # One charge, however many events tell of it; what cannot be numbered is told apart by its event.
    charge = f"{told.invoice}:{attempt}" if attempt < UNNUMBERED and not by_hand else told.event_id
    customer, invoice = told.customer, told.invoice
    facts: list[BillingEvent] = [
        told.subscription_seen("past_due"),
        told.invoice_seen(IN_PASSING, "open"),
        ChargeFailed(
            customer,
            invoice,
            charge,
            told.at,
            decline_code=text(told.data, "failureCode"),
            method_type=text(told.data, "paymentMethod"),
        ),
    ]
    if not by_hand:
        facts.append(PaymentFailed(customer, invoice, told.at, attempt))
        if attempt == UNNUMBERED:
            facts.append(LedgerRead(customer, invoice, attempt))
    url = pay_link(text(told.data, "recoveryUrl"))
    return [*facts, PayPageSeen(customer, invoice, told.at, url)] if url else facts


def _paid(told: Told) -> list[BillingEvent]:
    """Money came, or what stands for it: a recovery may need no charge."""
    if text(told.data, "subscriptionId") is None:
        return []
    paid_at = moment(told.data.get("paidAt")) or told.at
    currency = text(told.data, "currency")
    amount = told.cents("grossAmount") or told.cents("invoiceTotal")
    known = {"currency": currency.lower()} if currency else {}
    return [
        told.invoice_seen(IN_PASSING, "paid", paid_at=paid_at, amount_paid=max(amount, SOMETHING), **known)
    ]


def received(told: Told) -> list[BillingEvent]:
    email = text(told.data, "customerEmail")
    # Whatever told more of the customer goes before it.
    return [*_paid(told), *([CustomerSeen(told.customer, IN_PASSING, email=email)] if email else [])]


def recovered(told: Told) -> list[BillingEvent]:
    paid = _paid(told)
    return [*paid, told.subscription_seen("active")] if paid else []
