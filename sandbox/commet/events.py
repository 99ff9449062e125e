"""What Commet's events tell, in the shapes of its API 2026-08-27."""

from __future__ import annotations

from datetime import datetime

from sandbox.commet.objects import Json, written

METHOD = {"provider": "stripe", "paymentMethod": "card", "subPaymentMethod": None}
MOST_RETRIES = 4


def event(ref: str, kind: str, data: Json, now: datetime) -> Json:
    """The envelope of the sandbox."""
    return {
        "id": ref, "event": kind, "timestamp": written(now), "organizationId": "org_1", "mode": "sandbox",
        "apiVersion": "2026-08-27", "data": dict(data),
    }  # fmt: skip


def why(reason: str = "recurring_billing", *, retry: int = 0, by_hand: bool = False) -> Json:
    """The payment context of a charge: the original one, or the scheduled retry of that number, or a try."""
    recovery: Json | None = {"type": "payment_recovery"} if by_hand else None
    if retry:
        recovery = {"type": "dunning_retry", "attempt": retry, "maxAttempts": MOST_RETRIES}
    return {"reason": reason, "paymentLinkId": None, "recovery": recovery}


def about(bill: Json) -> Json:
    """What every event of an invoice names."""
    names = ("invoiceNumber", "customerId", "subscriptionId")
    return {"invoiceId": bill["id"]} | {name: bill[name] for name in names}


def billed(bill: Json) -> Json:
    """Of an invoice that was made."""
    names = ("periodStart", "periodEnd", "issueDate", "dueDate", "currency", "subtotal", "total")
    return about(bill) | {"invoiceStatus": "outstanding"} | {name: bill[name] for name in names}


def failed(bill: Json, context: Json, decline: str, link: str) -> Json:
    """Of a charge that was declined."""
    told = {"failureCode": decline, "failureMessage": "It was declined.", "paymentContext": context}
    return about(bill) | METHOD | told | {"recoveryUrl": link}


def received(bill: Json, context: Json, made: Json) -> Json:
    """Of money that came."""
    amounts = {"invoiceTotal": bill["total"], "grossAmount": bill["total"], "currency": bill["currency"]}
    of = {"customerEmail": made["customerEmail"], "paymentTransactionId": made["id"]}
    return about(bill) | METHOD | {"paymentContext": context} | amounts | of


def recovered(bill: Json) -> Json:
    """Of a debt that is settled."""
    return about(bill) | METHOD | {"invoiceTotal": bill["total"]}


def started(of: Json, bill: Json) -> Json:
    """Of a subscription that was paid for, for the first time or again."""
    amounts = {"invoiceTotal": bill["total"], "invoiceCurrency": bill["currency"], "provider": "stripe"}
    now = of["currentPeriod"]
    period = {"currentPeriodStart": now["start"], "currentPeriodEnd": now["end"]}
    return about(bill) | {"status": "active", "name": of["name"]} | amounts | period


def ended(of: Json, reason: str | None, now: datetime) -> Json:
    """Of one that is over."""
    named = {"subscriptionId": of["id"], "customerId": of["customerId"], "status": "canceled"}
    return named | {"cancelReason": reason, "endDate": written(now)}
