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

from itsdangerous import BadData, BadSignature, Signer, base64_decode, base64_encode

# One salt a purpose: what was signed for another one opens no page.
CASE: Final = b"dunning.portal.case.v1"
BANNER: Final = b"dunning.portal.banner.v1"
# Who made the link that a case begins with, so that a banner leads somewhere before the first mail.
FOR_BANNERS: Final = "banner"
ID_BYTES: Final = 16
DIGEST_BYTES: Final = sha256().digest_size
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
        self._signer = _signer(secrets, CASE)
        self._banner = _signer(secrets, BANNER)

    def mint(self) -> Minted:
        """A link that nobody can guess. It opens nothing until its digest is stored."""
        return self._signed(secrets.token_bytes(ID_BYTES))

    def _signed(self, link_id: bytes) -> Minted:
        return Minted(_text(self._signer, link_id), digest(link_id))

    def banner(self, link: bytes) -> str:
        """The token by which a banner leads to what the link of this digest opens, the same each time.

        A banner is asked for at every turn, and asking must not write: a row for each answer would grow
        without end, and a fresh token cannot be had again from the hash of an old one. So this is a second
        name of a link there is, a mail's or the one its case began with: the digest itself, signed for this
        purpose. All that holds of that link holds of it: its one case, its life, and that it can be revoked.
        Nor is it easier to make: the digest is the hash of 128 random bits and stands in the database alone,
        and the signature needs the secret.
        """
        return _text(self._banner, link)

    def is_banner(self, token: str) -> bool:
        """Whether a banner leads here: then it is nobody's mail, and its reader may be any colleague."""
        return _bytes(self._banner, token, DIGEST_BYTES) is not None

    def read(self, token: str) -> bytes | None:
        """The digest of a token that one of our secrets has signed, or None. Compares in constant time."""
        if len(token) > LONGEST or not token.isascii() or not is_plain(token):
            return None
        link_id = _bytes(self._signer, token, ID_BYTES)
        return digest(link_id) if link_id else _bytes(self._banner, token, DIGEST_BYTES)


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the pages are: `base` is their public address without a slash at its end."""

    base: str
    links: Links

    def url(self, minted: Minted) -> str:
        """The address of one page. It is a secret: it belongs in a mail and in no log."""
        return f"{self.base}/p/{minted.token}"

    def banner_url(self, link: bytes) -> str:
        """The address at which a banner leads to the page of the link of this digest; as secret."""
        return f"{self.base}/p/{self.links.banner(link)}"


def _signer(secrets: Sequence[str], purpose: bytes) -> Signer:
    return Signer(
        [secret.encode() for secret in reversed(secrets)],  # itsdangerous signs with the last
        salt=purpose,
        key_derivation="hmac",
        digest_method=sha256,
    )


def _text(signer: Signer, value: bytes) -> str:
    return signer.sign(urlsafe_b64encode(value).rstrip(b"=")).decode()


def is_plain(signed: str) -> bool:
    """Whether the signature at its end is spelt as we spell it.

    itsdangerous reads over what is no base64, and over the last bits: one signature has many spellings.
    """
    signature = signed.rpartition(".")[2]
    try:
        return signature.isascii() and base64_encode(base64_decode(signature)) == signature.encode()
    except BadData:
        return False


def _bytes(signer: Signer, token: str, size: int) -> bytes | None:
    """What was signed, if it was and has this size."""
    try:
        value = signer.unsign(token)
        signed = urlsafe_b64decode(value + b"=" * (-len(value) % 4))
    except (BadSignature, ValueError):
        return None
    return signed if len(signed) == size else None


def digest(link_id: bytes) -> bytes:
    """What is stored of a link."""
    return sha256(link_id).digest()


def unheld() -> bytes:
    """The digest of a new link whose token nobody has ever held: it opens a page by `Links.banner` alone."""
    return digest(secrets.token_bytes(ID_BYTES))


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
