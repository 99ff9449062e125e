"""Commet's signature and envelope. Whatever it has signed is answered with 200.

`X-Commet-Signature` is the HMAC-SHA256 of the body in hexadecimal digits, under the whole `whsec_...` string
(commet-sdk 9.7.0, webhooks). No time is signed, so what holds a replay is that an event counts once. Three
deliveries in a row that fail disable the endpoint, and what happens meanwhile is never sent: a body that we
cannot read, or have no use for, is kept as ignored and not refused.
"""

import hashlib
from typing import Any

from providers.envelope import BadEnvelope, Envelope
from providers.json_body import name, parse_object, time_told

SIGNATURE_HEADER = b"x-commet-signature"

HANDLED = frozenset(
    {
        "customer.created",
        "customer.updated",
        "invoice.created",
        "invoice.overdue",
        "invoice.voided",
        "payment.failed",
        "payment.received",
        "payment.recovered",
        "payment.retry_failed",
        "payment_method.attached",
        "payment_method.updated",
        "subscription.activated",
        "subscription.canceled",
        "subscription.past_due",
        "subscription.paused",
        "subscription.reactivated",
        "subscription.resumed",
        "subscription.updated",
    }
)
UNREADABLE = "unreadable"


def envelope(body: bytes) -> Envelope:
    """Of a verified body; never raises BadEnvelope.

    Older envelopes have neither `id` nor `mode`. Then the same body is the same event: the id that a header
    names is not signed, so whoever replays a delivery could give it another.
    """
    own = hashlib.sha256(body).hexdigest()
    try:
        event = parse_object(body)
    except BadEnvelope as bad:
        return Envelope(own, UNREADABLE, None, None, "ignored", f"no event: {bad}")
    kind = _named(event, "event") or UNREADABLE
    handled = kind in HANDLED
    return Envelope(
        event_id=_named(event, "id") or own,
        type=kind,
        created_at=time_told(event.get("timestamp")),
        livemode={"live": True, "sandbox": False}.get(str(event.get("mode"))),
        disposition="pending" if handled else "ignored",
        note=None if handled else "type not handled",
    )


def _named(event: dict[str, Any], key: str) -> str | None:
    try:
        return name(event, key)
    except BadEnvelope:
        return None
