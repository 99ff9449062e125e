"""Commet's events as facts, old envelopes and new: normalise(event) -> Normalised. Pure.

By the shapes of commet-sdk 9.7.0 (API 2026-08-27), and by older ones that a pinned endpoint still gets:
without `id`, `mode` or `paymentContext`. An amount is known once an invoice has told it; a failed payment
names none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Final

from dunning.events import AsOf, BillingEvent, PaymentMethodChanged
from dunning.money import NO_CURRENCY
from providers.commet.payments import IN_PASSING, payment_failed, received, recovered
from providers.commet.told import EXHAUSTED, SOMETHING, Told, customer_facts
from providers.fields import Json, moment, moment_of, part, text
from providers.lookup import Lookup, Normalised, Subject

# What each of these says of a subscription is its status alone, and a failed payment names no amount.
ASKED: Final[Mapping[str, tuple[Subject, str]]] = {
    "payment.failed": (Subject.INVOICE, "invoiceId"),
    "payment.recovered": (Subject.SUBSCRIPTION, "subscriptionId"),
    "subscription.activated": (Subject.SUBSCRIPTION, "subscriptionId"),
    "subscription.canceled": (Subject.SUBSCRIPTION, "subscriptionId"),
    "subscription.past_due": (Subject.SUBSCRIPTION, "subscriptionId"),
    "subscription.paused": (Subject.SUBSCRIPTION, "subscriptionId"),
    "subscription.reactivated": (Subject.SUBSCRIPTION, "subscriptionId"),
    "subscription.resumed": (Subject.SUBSCRIPTION, "subscriptionId"),
    "subscription.updated": (Subject.SUBSCRIPTION, "subscriptionId"),
}

Handler = Callable[[Told], list[BillingEvent]]


def normalise(event: Json) -> Normalised:
    """What an event of Commet says, and what it leaves unsaid. An unhandled type says nothing.

    Raises MalformedEventError.
    """
    kind = text(event, "event") or ""
    handler = HANDLERS.get(kind)
    if handler is None:
        return Normalised()
    own = text(event, "id") or hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
    told = Told(own, AsOf(moment_of(event, "timestamp")), part(event, "data"))
    facts = tuple(handler(told))
    asked = ASKED.get(kind) if facts else None
    return Normalised(facts, (Lookup(asked[0], told.ref(asked[1]), told.at, event),) if asked else ())


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
    return [
        customer_facts(
            text(told.data, "externalId") or told.ref("id"),
            told.as_of,
            email=text(told.data, "email"),
            name=text(told.data, "fullName"),
            zone=text(told.data, "timezone"),
        )
    ]


HANDLERS: Final[Mapping[str, Handler]] = {
    "customer.created": _customer,
    "customer.updated": _customer,
    "invoice.created": _invoice,
    "invoice.overdue": _invoice,
    "invoice.voided": _voided,
    "payment.failed": payment_failed,
    "payment.received": received,
    "payment.recovered": recovered,
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
