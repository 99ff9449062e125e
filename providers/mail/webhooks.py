"""The outside of what mail services send, for the receiver: an id, a type, whether a worker has a use for it.

The inside is read by `resend`, `postmark` and `ses` beside this. What nobody has a use for, such as that a
mail was opened, is acknowledged and kept without its content.
"""

import hashlib
from datetime import datetime

from providers.envelope import Envelope
from providers.json_body import name, parse_object, time_told

_RESEND = frozenset(
    {
        "email.bounced", "email.complained", "email.delivered", "email.delivery_delayed",
        "email.failed", "email.suppressed",
    }
)  # fmt: skip
_POSTMARK = frozenset({"Bounce", "Delivery", "SpamComplaint"})
_SES = frozenset({"Notification", "SubscriptionConfirmation"})


def resend(message_id: bytes, body: bytes) -> Envelope:
    """Of a verified body, named by the header `svix-id`. Raises BadEnvelope."""
    event = parse_object(body)
    kind = name(event, "type")
    return _envelope(_printable(message_id), kind, kind in _RESEND, time_told(event.get("created_at")))


def postmark(body: bytes) -> Envelope:
    """Postmark gives events no id: the same content is the same event. Raises BadEnvelope."""
    event = parse_object(body)
    kind = name(event, "RecordType")
    at = next((at for key in ("BouncedAt", "DeliveredAt") if (at := time_told(event.get(key)))), None)
    return _envelope(hashlib.sha256(body).hexdigest(), kind, kind in _POSTMARK, at)


def ses(body: bytes) -> Envelope:
    """Of a message of Amazon SNS, which wraps what SES says. Raises BadEnvelope."""
    message = parse_object(body)
    kind = name(message, "Type")
    return _envelope(name(message, "MessageId"), kind, kind in _SES, time_told(message.get("Timestamp")))


def _envelope(event_id: str, kind: str, handled: bool, at: datetime | None) -> Envelope:
    return Envelope(
        event_id=event_id,
        type=kind,
        created_at=at,
        livemode=None,
        disposition="pending" if handled else "ignored",
        note=None if handled else "type not handled",
    )


def _printable(header: bytes) -> str:
    return name({"id": header.decode("latin-1")}, "id")
