"""Signatures of the Standard Webhooks specification 1.0: https://www.standardwebhooks.com

HMAC-SHA256 over `{id}.{timestamp}.{body}`, one `v1,<base64>` for each secret, with spaces between them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
# Bytes; the specification's limits.
SHORTEST, LONGEST = 24, 64
NEW = 32


def new_secret() -> str:
    """A fresh signing secret in the specification's form."""
    return PREFIX + base64.b64encode(secrets.token_bytes(NEW)).decode("ascii")


def key_of(secret: str) -> bytes:
    """The bytes a secret stands for. Raises ValueError, whose text does not show it."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"must start with {PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"has something after {PREFIX} that is not base64") from None
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"must hold {SHORTEST} to {LONGEST} bytes")
    return key


def headers(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message. `timestamp` is the time of sending in Unix seconds."""
    signed = b".".join([message_id.encode(), str(timestamp).encode(), body])
    signatures = [hmac.digest(key_of(secret), signed, hashlib.sha256) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode('ascii')}" for each in signatures),
    }
