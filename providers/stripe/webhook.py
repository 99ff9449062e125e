"""Stripe's webhook signature and envelope, without the `stripe` package: the receiver must stay small.

Signature scheme: `Stripe-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>...][,v0=...]`, where v1 is the
HMAC-SHA256 of `<t>.<body>` under the whole `whsec_...` string (docs.stripe.com/webhooks/signature). While a
secret is rolled, Stripe sends one v1 per secret. Only v1 counts: v0 would be a downgrade.
"""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from providers.envelope import BadEnvelope, BadSignature, Disposition, Envelope
from providers.json_body import name, parse_object
from providers.stripe.accounts import CONNECT, is_connected

SIGNATURE_HEADER = b"stripe-signature"
TOLERANCE = 300  # seconds, Stripe's own default; here it bounds the future too
MAX_SIGNATURES = 16  # per header; Stripe sends one or two, and each costs a comparison per secret

HANDLED = frozenset(
    {
        "charge.failed",
        "charge.refunded",
        "customer.deleted",
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "customer.subscription.updated",
        "customer.updated",
        "invoice.marked_uncollectible",
        "invoice.paid",
        "invoice.payment_action_required",
        "invoice.payment_failed",
        "invoice.payment_succeeded",
        "invoice.updated",
        "invoice.voided",
        "payment_intent.payment_failed",
        "payment_method.attached",
        "payment_method.automatically_updated",
        "payment_method.detached",
        "payment_method.updated",
        "setup_intent.succeeded",
        "test_helpers.test_clock.advancing",
        "test_helpers.test_clock.ready",
    }
)
"""The event types a worker does something with, by their snapshot names."""

ONLY_THIN = frozenset(
    {
        "customer.subscription.active",
        "customer.subscription.default_payment_method_changed",
        "customer.subscription.incomplete_expired",
        "customer.subscription.past_due",
        "customer.subscription.unpaid",
    }
)
"""Those that exist as thin events alone: snapshots tell all of them by `customer.subscription.updated`."""

DEAUTHORIZED = "account.application.deauthorized"
"""A connected account has taken back that its platform reads it and acts for it."""
AUTHORIZED = "account.application.authorized"
"""It allows that, for the first time or again."""

THIN = "v2.core.event"
THIN_PREFIX = "v1."  # a thin event about a v1 resource is named `v1.` + the snapshot's type
_SNAPSHOT = "event"
_ELSEWHERE = "of another account than this endpoint's"
_NOT_CONNECTED = "of no connected account"


def verify(
    header: bytes, body: bytes, secrets: Sequence[bytes], now: float, tolerance: int = TOLERANCE
) -> None:
    """Return when one v1 signature in `header` was made over `body` with one of `secrets`, close to `now`.

    `now` and `tolerance` are in seconds (unix time). Raises BadSignature otherwise, for any bytes whatever.
    Everything stays bytes, since `hmac.compare_digest` refuses non-ASCII text with a TypeError; and every
    pair is compared, so that the time taken does not tell which secret or signature came close.
    """
    if not secrets or not all(secrets):
        raise BadSignature("no_secret")  # an empty key would let anybody sign
    timestamp, signatures = _parse(header)
    if abs(now - int(timestamp)) > tolerance:
        raise BadSignature("timestamp")
    genuine = False
    signed = timestamp + b"." + body
    for secret in secrets:
        expected = hmac.digest(secret, signed, "sha256").hex().encode()
        for signature in signatures:
            genuine |= hmac.compare_digest(expected, signature)
    if not genuine:
        raise BadSignature("signature")


def _parse(header: bytes) -> tuple[bytes, list[bytes]]:
    if not header:
        raise BadSignature("header_missing")
    pairs = [item.strip().partition(b"=")[::2] for item in header.split(b",")]
    timestamps = [value for key, value in pairs if key == b"t"]
    signatures = [value for key, value in pairs if key == b"v1"]
    # bytes.isdigit() is ASCII only; twelve digits keep int() cheap and reach the year 33658.
    if len(timestamps) != 1 or not timestamps[0].isdigit() or len(timestamps[0]) > 12:
        raise BadSignature("header_malformed")
    if not signatures or len(signatures) > MAX_SIGNATURES:
        raise BadSignature("header_malformed")
    return timestamps[0], signatures


def envelope(body: bytes) -> Envelope:
    """Read the outside of a *verified* body. Raises BadEnvelope when it is no event of any kind.

    Snapshot events (`object: "event"`) and thin ones (`object: "v2.core.event"`) are both understood. An
    event of another type or kind is not an error: it comes back as ignored, with a note. So does one that
    names an account, which is none of this endpoint's own: of a connected account, or an organisation's.
    """
    event = parse_object(body)
    elsewhere = event.get("account") is not None or event.get("context") is not None
    disposition, note = _dispose(event, HANDLED)
    return _envelope(event, *(("ignored", _ELSEWHERE) if elsewhere else (disposition, note)))


def connect_envelope(body: bytes) -> Envelope:
    """The same at a Connect endpoint: only events of connected accounts are taken in, each as its account's.

    A snapshot names it as `account`, a thin event as `context`, which an organisation's names in another way.
    """
    event = parse_object(body)
    account = event.get("context") if event.get("object") == THIN else event.get("account")
    if not is_connected(account):
        # Under the platform's own source it would make a duplicate of what its own endpoint takes in.
        return _envelope(event, "ignored", _NOT_CONNECTED, CONNECT)
    disposition, note = _dispose(event, HANDLED | {DEAUTHORIZED, AUTHORIZED})
    return _envelope(event, disposition, note, account)


def _envelope(
    event: dict[str, Any], disposition: Disposition, note: str | None, account: str | None = None
) -> Envelope:
    event_id, event_type, livemode = name(event, "id"), name(event, "type"), event.get("livemode")
    if not isinstance(livemode, bool):
        raise BadEnvelope("livemode")
    return Envelope(
        event_id=event_id,
        type=event_type,
        created_at=_read_time(event.get("created")),
        livemode=livemode,
        disposition=disposition,
        note=note,
        account=account,
    )


def _dispose(event: dict[str, Any], handled: frozenset[str]) -> tuple[Disposition, str | None]:
    kind, event_type = event.get("object"), name(event, "type")
    if kind == _SNAPSHOT:
        known = event_type in handled
    elif kind == THIN:
        plain = event_type.removeprefix(THIN_PREFIX)
        known = event_type.startswith(THIN_PREFIX) and plain in handled | ONLY_THIN
    else:
        return "ignored", "unknown kind of event"
    return ("pending", None) if known else ("ignored", "type not handled")


def _read_time(created: Any) -> datetime | None:
    """Snapshot events give unix seconds, thin ones ISO 8601. A time that cannot be read costs no event."""
    try:
        if isinstance(created, str):
            read = datetime.fromisoformat(created)
            return read.astimezone(UTC) if read.tzinfo else None
        if isinstance(created, int) and not isinstance(created, bool):
            return datetime.fromtimestamp(created, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
