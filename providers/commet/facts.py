"""Commet's events as facts, old envelopes and new: normalise(event) -> Normalised. Pure.

By the shapes of commet-sdk 9.7.0 (API 2026-08-27), and by older ones that a pinned endpoint still gets:
without `id`, `mode` or `paymentContext`. An amount is known once an invoice has told it; a failed payment
names none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from dunning.events import (
    AsOf,
    BillingEvent,
    ChargeFailed,
    CustomerSeen,
    LedgerRead,
    PaymentFailed,
    PaymentMethodChanged,
    PayPageSeen,
)
from dunning.money import NO_CURRENCY
from providers.commet.told import Told
from providers.fields import Json, moment, moment_of, part, text, whole
from providers.links import pay_link
from providers.lookup import MalformedEventError, Normalised

# A failure without an attempt's number: whoever counts, counts the charges.
UNNUMBERED: Final = 1_000
SOMETHING: Final = 1
EXHAUSTED: Final = "dunning_exhausted"

# What fails here leaves no renewal unpaid: nothing was granted yet, or what runs goes on.
NOT_DUNNED: Final = frozenset(
    {
        "addon_activation", "first_subscription_payment", "one_time_payment", "plan_change", "prepayment",
        "reactivation", "subscription_resume",
    }
)  # fmt: skip
# Payments name an invoice and tell little of it: any event about the invoice itself knows more.
IN_PASSING: Final = AsOf(datetime(1970, 1, 1, tzinfo=UTC))


Handler = Callable[[Told], list[BillingEvent]]


def normalise(event: Json) -> Normalised:
    """What an event of Commet says. An unhandled type says nothing. Raises MalformedEventError."""
    handler = HANDLERS.get(text(event, "event") or "")
    if handler is None:
        return Normalised()
    own = text(event, "id") or hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
    return Normalised(tuple(handler(Told(own, AsOf(moment_of(event, "timestamp")), part(event, "data")))))


def _payment_failed(told: Told) -> list[BillingEvent]:
    context = part(told.data, "paymentContext")
    if text(told.data, "subscriptionId") is None or text(context, "reason") in NOT_DUNNED:
        return []
    recovery = part(context, "recovery")
    by_hand = text(recovery, "type") == "payment_recovery"
    attempt = _attempt(context, recovery)
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


def _attempt(context: Json, recovery: Json) -> int:
    """The original charge is the first; retries count from 1 by themselves."""
    if not context:
        return UNNUMBERED
    retry = whole(recovery, "attempt") if text(recovery, "type") == "dunning_retry" else 0
    if not 0 <= retry < UNNUMBERED - 1:
        raise MalformedEventError("attempt is no position in a schedule")
    return retry + 1


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


def _received(told: Told) -> list[BillingEvent]:
    email = text(told.data, "customerEmail")
    # Whatever told more of the customer goes before it.
    return [*_paid(told), *([CustomerSeen(told.customer, IN_PASSING, email=email)] if email else [])]


def _recovered(told: Told) -> list[BillingEvent]:
    paid = _paid(told)
    return [*paid, told.subscription_seen("active")] if paid else []


def _past_due(told: Told) -> list[BillingEvent]:
    """It comes beside the first failure."""
    return [told.subscription_seen("past_due"), told.invoice_seen(IN_PASSING, "open")]


def _retry_failed(told: Told) -> list[BillingEvent]:
    """The end of its retries; the cancellation that comes beside it says the same."""
    return [told.subscription_seen("canceled", ended_at=told.at, ended_for="payment_failed")]


def _canceled(told: Told) -> list[BillingEvent]:
    """`canceledAt` is when somebody asked for it, which ends nothing."""
    ended_at = min(moment(told.data.get("endDate")) or told.at, told.at)
    exhausted = text(told.data, "cancelReason") == EXHAUSTED
    reason = "payment_failed" if exhausted else "cancellation_requested"
    return [told.subscription_seen("canceled", ended_at=ended_at, ended_for=reason)]


def _updated(told: Told) -> list[BillingEvent]:
    """With an end and still active it is only foreseen."""
    ends_at = moment(told.data.get("endDate"))
    status = text(told.data, "status") or "active"
    foreseen = status != "canceled" and (ends_at is not None or told.data.get("canceledAt") is not None)
    return [told.subscription_seen(status, cancel_at_period_end=foreseen, period_end=ends_at)]


def _started(told: Told) -> list[BillingEvent]:
    """For the first time, or again by the same id: paid for, with a period of its own."""
    seen = told.subscription_seen(
        "active", plan=text(told.data, "name"), period_end=moment(told.data.get("currentPeriodEnd"))
    )
    amount, currency = told.cents("invoiceTotal"), text(told.data, "invoiceCurrency")
    known = {"currency": currency.lower()} if currency else {}
    paid = told.invoice_seen(told.as_of, "paid", paid_at=told.at, amount_paid=max(amount, SOMETHING), **known)
    return [paid, seen]


def _paused(told: Told) -> list[BillingEvent]:
    """Somebody's wish, never the end of dunning."""
    return [told.subscription_seen("paused")]


def _resumed(told: Told) -> list[BillingEvent]:
    return [told.subscription_seen("active")]


def _invoice(told: Told) -> list[BillingEvent]:
    """The only events that tell how much is owed. That it is overdue is no failed charge."""
    if text(told.data, "subscriptionId") is None:
        return []
    void = text(told.data, "invoiceStatus") in ("void", "voided")
    total, currency = told.cents("total"), (text(told.data, "currency") or NO_CURRENCY).lower()
    return [
        told.invoice_seen(
            told.as_of,
            "void" if void else "open",
            amount_remaining=total,
            currency=currency,
            voided_at=told.at if void else None,
        )
    ]


def _voided(told: Told) -> list[BillingEvent]:
    return _invoice(Told(told.event_id, told.as_of, {**told.data, "invoiceStatus": "void"}))


def _method(told: Told) -> list[BillingEvent]:
    return [PaymentMethodChanged(told.customer, told.at)]


def _customer(told: Told) -> list[BillingEvent]:
    """By the id that you gave, if you gave one, as in every other event."""
    zone = text(told.data, "timezone")
    return [
        CustomerSeen(
            customer=text(told.data, "externalId") or told.ref("id"),
            as_of=told.as_of,
            email=text(told.data, "email"),
            name=text(told.data, "fullName"),
            metadata=(("timezone", zone),) if zone else (),
        )
    ]


HANDLERS: Final[Mapping[str, Handler]] = {
    "customer.created": _customer,
    "customer.updated": _customer,
    "invoice.created": _invoice,
    "invoice.overdue": _invoice,
    "invoice.voided": _voided,
    "payment.failed": _payment_failed,
    "payment.received": _received,
    "payment.recovered": _recovered,
    "payment.retry_failed": _retry_failed,
    "payment_method.attached": _method,
    "payment_method.updated": _method,
    "subscription.activated": _started,
    "subscription.canceled": _canceled,
    "subscription.past_due": _past_due,
    "subscription.paused": _paused,
    "subscription.reactivated": _started,
    "subscription.resumed": _resumed,
    "subscription.updated": _updated,
}
