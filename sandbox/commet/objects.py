"""Commet's objects in the shapes of its API 2026-08-27, as plain JSON. What nobody needs is empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Json = dict[str, Any]


def written(moment: datetime) -> str:
    """As Commet writes times: with milliseconds, in UTC."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def customer(ref: str, external_id: str | None, email: str, name: str | None, now: datetime) -> Json:
    return _stamped("customer", now) | {
        "id": ref, "externalId": external_id, "fullName": name, "email": email, "taxDocument": None,
        "documentType": None, "timezone": "Europe/London", "metadata": None,
    }  # fmt: skip


def subscription(ref: str, customer_id: str, plan: str, interval: str, now: datetime, end: datetime) -> Json:
    return _stamped("subscription", now) | {
        "id": ref, "customerId": customer_id, "plan": {"id": "plan_1", "name": plan}, "name": plan,
        "description": None, "status": "active", "billingInterval": interval, "trialEndsAt": None,
        "currentPeriod": {"start": written(now), "end": written(end), "daysRemaining": 30},
        "cancellation": None, "cancelAtPeriodEnd": False, "scheduledPlanChange": None,
        "startDate": written(now), "endDate": None, "billingDayOfMonth": now.day,
        "nextBillingDate": written(end), "checkoutUrl": None, "offerApplications": [], "pause": None,
        "priceId": "price_1",
    }  # fmt: skip


def invoice(ref: str, number: int, of: Mapping[str, Any], total: int, currency: str, now: datetime) -> Json:
    return _stamped("invoice", now) | {
        "id": ref, "customerId": of["customerId"], "subscriptionId": of["id"],
        "invoiceNumber": f"INV-{number:04}", "status": "outstanding", "invoiceType": "recurring",
        "currency": currency, "subtotal": total, "discountAmount": 0, "taxAmount": 0, "total": total,
        "periodStart": written(now), "periodEnd": of["currentPeriod"]["end"], "issueDate": written(now),
        "dueDate": written(now), "memo": None, "metadata": {},
    }  # fmt: skip


def transaction(
    ref: str, of: Mapping[str, Any], email: str, status: str, context: Json | None, now: datetime
) -> Json:
    return _stamped("transaction", now) | {
        "id": ref, "invoiceId": of["id"], "grossAmount": of["total"], "subtotal": of["subtotal"],
        "taxAmount": 0, "presentmentAmount": of["total"], "currency": of["currency"], "provider": "stripe",
        "paymentMethod": "card", "subPaymentMethod": None, "status": status, "customerEmail": email,
        "customerName": None, "paymentContext": context,
        "paidAt": written(now) if status == "succeeded" else None,
    }  # fmt: skip


def _stamped(kind: str, now: datetime) -> Json:
    return {"object": kind, "livemode": False, "createdAt": written(now), "updatedAt": written(now)}
