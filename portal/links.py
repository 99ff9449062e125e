"""The links to a customer's page: what stands in one, whether it is ours, and how long it opens anything.

Pure, and it knows none of our rooms: the worker writes links into mails, the page reads them. A link carries
128 random bits and a signature. The database holds the hash of the bits, so that a stolen one opens nothing,
and a stolen secret alone opens nothing either.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from itsdangerous import BadSignature, Signer

# One salt a purpose: what was signed for another one opens no page.
CASE: Final = b"dunning.portal.case.v1"
ID_BYTES: Final = 16
# A link outlives its case, so that whoever pays late or comes back finds more than a closed door.
LIFE_AFTER: Final = timedelta(days=7)
# No link of ours is longer; whatever is, is refused before it is looked at.
LONGEST: Final = 200  # characters


class Verdict(StrEnum):
    """What a link opens. `stale`: its case has been over for a week; `unknown`: it was never ours."""

    OK = "ok"
    STALE = "stale"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Minted:
    """A new link: `token` goes to the customer, and only `digest` is kept."""

    token: str
    digest: bytes


class Links:
    """Makes and reads tokens. The first secret signs; all of them verify, so that one can be replaced."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Raises ValueError without a secret, or with an empty one: anybody could sign then."""
        if not secrets or not all(secrets):
            raise ValueError("links need a secret, and none may be empty")
        self._signer = Signer(
            [secret.encode() for secret in reversed(secrets)],  # itsdangerous signs with the last
            salt=CASE,
            key_derivation="hmac",
            digest_method=sha256,
        )

    def mint(self) -> Minted:
        """A link that nobody can guess. It opens nothing until its digest is stored."""
        return self._signed(secrets.token_bytes(ID_BYTES))

    def _signed(self, link_id: bytes) -> Minted:
        token = self._signer.sign(urlsafe_b64encode(link_id).rstrip(b"=")).decode()
        return Minted(token, digest(link_id))

    def read(self, token: str) -> bytes | None:
        """The digest of a token that one of our secrets has signed, or None. Compares in constant time."""
        if len(token) > LONGEST or not token.isascii():
            return None
        try:
            link_id = urlsafe_b64decode(self._signer.unsign(token) + b"==")
        except (BadSignature, ValueError):
            return None
        return digest(link_id) if len(link_id) == ID_BYTES else None


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the pages are: `base` is their public address without a slash at its end."""

    base: str
    links: Links

    def url(self, minted: Minted) -> str:
        """The address of one page. It is a secret: it belongs in a mail and in no log."""
        return f"{self.base}/p/{minted.token}"


def digest(link_id: bytes) -> bytes:
    """What is stored of a link."""
    return sha256(link_id).digest()


def short(link: bytes) -> str:
    """What a log line may say of a link."""
    return link.hex()[:6]


def verdict(
    *, made_at: datetime, revoked_at: datetime | None, closed_at: datetime | None, now: datetime
) -> Verdict:
    """What a link that is ours opens at `now`. All times are the customer's.

    It lives as long as its case is open, and a week longer; one that was made later, a week from then.
    """
    if revoked_at is not None:
        return Verdict.REVOKED
    if closed_at is not None and now >= max(closed_at, made_at) + LIFE_AFTER:
        return Verdict.STALE
    return Verdict.OK
