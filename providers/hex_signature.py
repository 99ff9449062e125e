"""The plainest signature there is: the HMAC-SHA256 of the body in hexadecimal digits, in one header.

No time is signed, so whoever has seen a delivery can send it again at any time: what holds a replay is that
the event's id is stored and counts once. Better schemes are `providers.svix_signature` and Stripe's.
"""

import hmac
from collections.abc import Sequence

from providers.envelope import BadSignature

PREFIX = b"sha256="  # as GitHub and others write before it


def verify(given: bytes, body: bytes, secrets: Sequence[bytes]) -> None:
    """Return when `given` was made over the body with one of `secrets`. Raises BadSignature otherwise.

    All is compared as bytes, which may be any: `hmac.compare_digest` refuses text that is not ASCII. Every
    secret is tried, so that the time taken tells nothing.
    """
    if not secrets or not all(secrets):
        raise BadSignature("no_secret")
    if not given:
        raise BadSignature("header_missing")
    genuine = False
    for secret in secrets:
        expected = hmac.digest(secret, body, "sha256").hex().encode()
        genuine |= hmac.compare_digest(expected, given.removeprefix(PREFIX))
    if not genuine:
        raise BadSignature("signature")
