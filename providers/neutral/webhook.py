"""The neutral format at the door: how a source signs, and the outside of what it sends.

Each source is one item of the settings, "acme standard whsec_...": its name, how it signs, and one secret or,
while that is replaced, several. After a colon the scheme may name its header: "hex:x-acme-signature".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from providers import hex_signature, svix_signature
from providers.door import Check, Header, encoded
from providers.envelope import Envelope
from providers.json_body import name, parse_object, time_told
from providers.stripe import webhook as stripe_webhook

HANDLED = frozenset(
    {
        "customer.updated",
        "subscription.canceled",
        "subscription.past_due",
        "subscription.payment_failed",
        "subscription.payment_succeeded",
    }
)

# Standard Webhooks 1.0, which grew out of Svix' scheme and differs in the names of its headers.
STANDARD = (b"webhook-id", b"webhook-timestamp", b"webhook-signature")
DEFAULT_HEADERS = {"stripe": "webhook-signature", "hex": "x-signature"}


@dataclass(frozen=True, slots=True)
class EventSource:
    """One source as the settings name it. `header` is in small letters; empty: the scheme has its own."""

    name: str
    scheme: str
    header: str
    secrets: tuple[str, ...] = field(repr=False)


def read_source(text: str) -> EventSource:
    """Take a line of the settings apart, which have checked it."""
    named, how, *secrets = text.split()
    scheme, _, header = how.partition(":")
    return EventSource(named, scheme, header.lower() or DEFAULT_HEADERS.get(scheme, ""), tuple(secrets))


def checker(source: EventSource) -> Check:
    """What tells the source's deliveries from others', raising BadSignature. ValueError: no such scheme."""
    match source.scheme:
        case "standard":
            return _standard([svix_signature.key_of(secret) for secret in source.secrets])
        case "stripe":
            return _stripe(source.header.encode(), encoded(source.secrets))
        case "hex":
            return _hex(source.header.encode(), encoded(source.secrets))
    raise ValueError(f"{source.name} has an unknown scheme")


def envelope(body: bytes) -> Envelope:
    """Of a verified body. Raises BadEnvelope. An event of another type is kept without its content."""
    event = parse_object(body)
    kind, livemode = name(event, "type"), event.get("livemode")
    handled = kind in HANDLED
    return Envelope(
        event_id=name(event, "id"),
        type=kind,
        created_at=time_told(event.get("createdAt")),
        livemode=livemode if isinstance(livemode, bool) else None,
        disposition="pending" if handled else "ignored",
        note=None if handled else "type not handled",
    )


def _standard(keys: Sequence[bytes]) -> Check:
    def check(header: Header, body: bytes, now: float) -> None:
        message, at, signatures = (header(each) for each in STANDARD)
        svix_signature.verify(message, at, signatures, body, keys, now)

    return check


def _stripe(named: bytes, secrets: Sequence[bytes]) -> Check:
    def check(header: Header, body: bytes, now: float) -> None:
        stripe_webhook.verify(header(named), body, secrets, now)

    return check


def _hex(named: bytes, secrets: Sequence[bytes]) -> Check:
    def check(header: Header, body: bytes, now: float) -> None:
        hex_signature.verify(header(named), body, secrets)

    return check
