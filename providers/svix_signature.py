"""The signature of Svix, by which Resend signs its webhooks, without Svix' package: the receiver stays small.

`svix-signature: v1,<base64> [v1,<base64>...]` holds the HMAC-SHA256 of `<id>.<timestamp>.<body>` under the
base64 that follows `whsec_` in the secret (docs.svix.com/receiving/verifying-payloads/how-manual). Only v1 is
a shared secret's; while a secret is rolled there is a signature for each.
"""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Sequence

from providers.envelope import BadSignature

ID_HEADER, TIME_HEADER, SIGNATURE_HEADER = b"svix-id", b"svix-timestamp", b"svix-signature"
PREFIX = "whsec_"
TOLERANCE = 300  # seconds, into the past and the future
MAX_SIGNATURES = 16


def key_of(secret: str) -> bytes:
    """The key in a secret `whsec_...`. Raises ValueError for anything else."""
    if not secret.startswith(PREFIX):
        raise ValueError("does not start with whsec_")
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("is not base64 after whsec_") from None
    if len(key) < 16:
        raise ValueError("holds a key of less than 16 bytes")
    return key


def verify(
    message_id: bytes, timestamp: bytes, signatures: bytes, body: bytes, keys: Sequence[bytes], now: float
) -> None:
    """Return when one of the signatures was made over the body with one of the keys, close to `now`.

    `now` is in seconds (unix time). Raises BadSignature otherwise. Every pair is compared, so that the time
    taken tells nothing.
    """
    if not keys or not all(keys):
        raise BadSignature("no_secret")
    if not (message_id and timestamp and signatures):
        raise BadSignature("header_missing")
    candidates = [given[3:] for given in signatures.split() if given.startswith(b"v1,")]
    if not timestamp.isdigit() or len(timestamp) > 12 or not 0 < len(candidates) <= MAX_SIGNATURES:
        raise BadSignature("header_malformed")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise BadSignature("timestamp")
    genuine = False
    signed = b".".join((message_id, timestamp, body))
    for key in keys:
        expected = binascii.b2a_base64(hmac.digest(key, signed, "sha256"), newline=False)
        for candidate in candidates:
            genuine |= hmac.compare_digest(expected, candidate)
    if not genuine:
        raise BadSignature("signature")
