"""What Commet sends, by the shapes of commet-sdk 9.7.0 and of its older documentation."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

SECRET = "whsec_test"
START = datetime(2026, 6, 23, 14, 30, tzinfo=UTC)
IDS = {"invoiceId": "inv_n4o5p6", "invoiceNumber": "INV-0043", "customerId": "user_123"}
SUBSCRIPTION = {"subscriptionId": "sub_1a2b3c4d"}
RECOVERY_URL = "https://pay.commet.co/recover/tok_9f8e7d6c"
STRIPE = {"provider": "stripe", "paymentMethod": "card", "subPaymentMethod": None}
DATA: dict[str, dict[str, Any]] = {
    "payment.failed": IDS | SUBSCRIPTION | STRIPE | {
        "paymentContext": {"reason": "recurring_billing", "paymentLinkId": None, "recovery": None},
        "failureCode": "card_declined",
        "failureMessage": "Your card was declined.",
        "recoveryUrl": RECOVERY_URL,
    },
    "payment.recovered": IDS | SUBSCRIPTION | STRIPE | {"invoiceTotal": 4900},
    "payment.received": IDS | SUBSCRIPTION | STRIPE | {
        "paymentContext": None, "invoiceTotal": 4900, "paymentTransactionId": "txn_1", "grossAmount": 4900,
        "currency": "eur", "orgNetAmount": 4600, "customerEmail": "grace@customer.example",
    },
    "payment.retry_failed": IDS | SUBSCRIPTION | {"provider": "stripe", "reason": "dunning_exhausted"},
    "subscription.past_due": IDS | SUBSCRIPTION | {"status": "past_due"},
    "subscription.canceled": SUBSCRIPTION | {
        "customerId": "user_123", "status": "canceled", "cancelReason": "dunning_exhausted",
    },
    "subscription.updated": SUBSCRIPTION | {
        "customerId": "user_123", "status": "active", "cancelReason": None,
    },
    "subscription.reactivated": SUBSCRIPTION | {
        "customerId": "user_123", "status": "active", "name": "Pro", "invoiceId": "inv_next",
        "invoiceNumber": "INV-0050", "invoiceTotal": 4900, "invoiceCurrency": "eur", "provider": "stripe",
        "currentPeriodStart": "2026-07-01T00:00:00.000Z", "currentPeriodEnd": "2026-08-01T00:00:00.000Z",
    },
    "subscription.activated": SUBSCRIPTION | {
        "customerId": "user_123", "status": "active", "name": "Pro", "invoiceId": "inv_first",
        "invoiceNumber": "INV-0001", "invoiceTotal": 4900, "invoiceCurrency": "eur", "provider": "stripe",
    },
    "subscription.paused": SUBSCRIPTION | {
        "customerId": "user_123", "status": "paused", "mode": "immediate",
        "effectiveAt": "2026-07-01T00:00:00.000Z", "resumeAt": None,
    },
    "subscription.resumed": SUBSCRIPTION | {
        "customerId": "user_123", "status": "active", "mode": "manual",
        "resumedAt": "2026-07-02T00:00:00.000Z", "invoiceId": None,
    },
    "invoice.created": IDS | SUBSCRIPTION | {
        "invoiceStatus": "outstanding", "periodStart": "2026-06-23T00:00:00.000Z",
        "periodEnd": "2026-07-23T00:00:00.000Z", "issueDate": "2026-06-23T00:00:00.000Z",
        "dueDate": "2026-06-23T00:00:00.000Z", "currency": "eur", "subtotal": 4900.0, "total": 4900,
    },
    "payment_method.updated": {
        "customerId": "user_123", "paymentMethod": "card",
        "card": {"brand": "visa", "last4": "4242", "expMonth": 4, "expYear": 2030},
    },
    "customer.created": {
        "id": "cus_pub1", "externalId": "user_123", "fullName": "Grace", "email": "grace@customer.example",
        "taxDocument": None, "documentType": None, "timezone": "Europe/London", "metadata": None,
        "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
    },
}  # fmt: skip
for _same, _as in (
    ("invoice.overdue", "invoice.created"),
    ("invoice.voided", "invoice.created"),
    ("customer.updated", "customer.created"),
    ("payment_method.attached", "payment_method.updated"),
):
    DATA[_same] = DATA[_as]


def retry(number: int) -> dict[str, Any]:
    """The context of a scheduled retry, which Commet counts from 1."""
    recovery = {"type": "dunning_retry", "attempt": number, "maxAttempts": 4}
    return {"paymentContext": {"reason": "recurring_billing", "paymentLinkId": None, "recovery": recovery}}


BY_HAND: dict[str, Any] = {
    "paymentContext": {"reason": "recurring_billing", "recovery": {"type": "payment_recovery"}}
}


def event(kind: str, at: datetime | float = 0, *, old: bool = False, **changes: Any) -> dict[str, Any]:
    """An event of a time, or of so many days after the first failure; `old` without what older ones lack."""
    when = at if isinstance(at, datetime) else START + timedelta(days=at)
    written = when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = DATA[kind] | changes
    envelope: dict[str, Any] = {
        "event": kind,
        "timestamp": written,
        "organizationId": "org_abc123",
    }
    if old:
        return envelope | {"data": {key: value for key, value in data.items() if key != "paymentContext"}}
    named = {"id": f"whev_{kind}_{written}", "mode": "sandbox", "apiVersion": "2026-08-27"}
    return named | envelope | {"data": data}


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of a genuine delivery."""
    return {"x-commet-signature": hmac.new(secret.encode(), body, "sha256").hexdigest()}


def dumped(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()
