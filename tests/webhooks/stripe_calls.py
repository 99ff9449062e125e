"""Deliveries as Stripe makes them."""

import hmac
import json
import time
from typing import Any

SECRET = "whsec_test_receiver"


def event(event_id: str = "evt_1", **changes: Any) -> bytes:
    """A snapshot event in test mode; None removes a field."""
    fields = {
        "id": event_id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_700_000_000,
        "data": {"object": {"id": "in_1", "object": "invoice", "customer_name": "Zoë ☕"}},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "invoice.payment_failed",
    } | changes
    kept = {key: value for key, value in fields.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False).encode()


def signature(body: bytes, secret: str = SECRET, at: float | None = None) -> str:
    """The hexadecimal v1 of `body`."""
    return hmac.new(secret.encode(), f"{_seconds(at)}.".encode() + body, "sha256").hexdigest()


def signed(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The headers of a genuine delivery."""
    return {"Stripe-Signature": f"t={_seconds(at)},v1={signature(body, secret, at)}"}


def _seconds(at: float | None) -> int:
    return int(time.time() if at is None else at)
