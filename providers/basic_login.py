"""HTTP's basic login, by which services that sign nothing, or nothing we can check at once, are known.

The password stands in the webhook's URL at the service: `https://dunning:PASSWORD@host/webhooks/postmark`.
"""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Sequence

from providers.envelope import BadSignature

HEADER = b"authorization"
LONGEST = 512  # bytes of the header


def verify(header: bytes, passwords: Sequence[bytes]) -> None:
    """Return when the header holds one of the passwords, whatever the user's name. Raises BadSignature."""
    if not passwords or not all(passwords):
        raise BadSignature("no_secret")
    scheme, _, encoded = header.strip().partition(b" ")
    if scheme.lower() != b"basic" or len(header) > LONGEST:
        raise BadSignature("login_missing")
    try:
        login = b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        raise BadSignature("login_malformed") from None
    given = login.partition(b":")[2]
    genuine = False
    for password in passwords:
        genuine |= hmac.compare_digest(password, given)
    if not genuine:
        raise BadSignature("login")
