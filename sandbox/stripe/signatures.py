"""The `Stripe-Signature` header."""

import hmac
from collections.abc import Sequence
from hashlib import sha256


def sign(body: bytes, secrets: Sequence[str], timestamp: int) -> str:
    """One `v1` per secret over `timestamp.body`, and the meaningless `v0` that test mode adds.

    Several secrets are in force while one is being rolled. `timestamp` is unix seconds of wall time.
    """
    signed = b"%d." % timestamp + body
    stamps = [f"v1={hmac.new(secret.encode(), signed, sha256).hexdigest()}" for secret in secrets]
    return ",".join([f"t={timestamp}", *stamps, f"v0={sha256(signed).hexdigest()}"])
