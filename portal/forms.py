"""Forms: small, of one kind, and each with a field that binds it to the link whose page it stood on.

The field is no secret between the page and its reader, who has the link; it keeps other sites, and pages that
were left open for days, from sending anything. A browser that says where a form comes from is believed too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Final
from urllib.parse import parse_qsl

from itsdangerous import BadSignature, TimestampSigner
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from portal.links import is_plain

FORM: Final = b"dunning.portal.form.v1"
FIELD: Final = "bound"
GOOD_FOR: Final = 24 * 3600  # seconds
LONGEST: Final = 16 * 1024  # bytes
MOST_FIELDS: Final = 30

Form = Mapping[str, str]


class UnboundError(Exception):
    """The form does not come from the page of its link, or comes much too late."""


class _Signer(TimestampSigner):
    clock: Callable[[], datetime]

    def get_timestamp(self) -> int:
        return int(self.clock().timestamp())


class Binding:
    """Makes the field and reads it back. It is bound to the token, be it ours or not: one page for both."""

    def __init__(self, secrets: Sequence[str], clock: Callable[[], datetime]) -> None:
        self._signer = _Signer(
            [secret.encode() for secret in reversed(secrets)],
            salt=FORM,
            key_derivation="hmac",
            digest_method=sha256,
        )
        self._signer.clock = clock

    def field(self, token: str) -> str:
        """The field's value, good for a day."""
        return self._signer.sign(_bound(token)).decode()

    def check(self, token: str, field: str) -> None:
        """Raise UnboundError for anything but a field of this token that is not a day old yet."""
        if not is_plain(field):
            raise UnboundError
        try:
            bound = self._signer.unsign(field, max_age=GOOD_FOR)
        except (BadSignature, ValueError):
            raise UnboundError from None
        if not compare_digest(bound, _bound(token)):
            raise UnboundError


def _bound(token: str) -> bytes:
    return sha256(token.encode()).hexdigest().encode()


async def read(request: Request) -> Form:
    """The fields of a form. Raises HTTPException 413, 415 or 400 for what none of our pages sends."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    body = await _body(request)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise HTTPException(400) from None
    if len(dict(pairs)) != len(pairs):
        raise HTTPException(400)
    return dict(pairs)


async def _body(request: Request) -> bytes:
    """Read no more than is allowed, whatever the header says."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 9 or int(length) > LONGEST):
        raise HTTPException(413)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST:
                raise HTTPException(413)
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)


def check_origin(request: Request) -> None:
    """Raise UnboundError if the browser says that another site sends this form."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise UnboundError
