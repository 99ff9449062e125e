"""Who may ask: bearer keys (RFC 6750), several of them, so that one can be replaced without a gap."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from console.problems import problem

REALM = 'Bearer realm="dunning"'


class Keys:
    """The keys that are good, as digests: the same work whatever is given, and none of them in memory."""

    def __init__(self, keys: Iterable[str]) -> None:
        """Raises ValueError without a key, or with an empty one: anybody could ask then."""
        keys = list(keys)
        if not keys or not all(keys):
            raise ValueError("the API needs a key, and none may be empty")
        self._digests = [sha256(key.encode()).digest() for key in keys]

    def know(self, given: bytes) -> bool:
        """Whether `given` is one of them. Compares with each, so that time tells nothing."""
        digest = sha256(given).digest()
        known = False
        for one in self._digests:
            known |= hmac.compare_digest(digest, one)
        return known


class KeyRequired:
    """ASGI middleware: requests without a good key are answered 401 before anything is looked at."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = _bearer(Headers(scope=scope).getlist("authorization"))
        if given is None:
            refused = problem(401, "key_missing", "Send a key: `Authorization: Bearer ...`.", _challenge())
            await refused(scope, receive, send)
        elif not self._keys.know(given):
            refused = problem(401, "key_unknown", "This key is not known.", _challenge("invalid_token"))
            await refused(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _bearer(values: list[str]) -> bytes | None:
    """The token as the bytes that were sent, or None when there is no one bearer token."""
    if len(values) != 1:
        return None
    scheme, _, token = values[0].partition(" ")
    # Header values are bytes, which Starlette shows as latin-1.
    return token.strip().encode("latin-1") or None if scheme.lower() == "bearer" else None


def _challenge(error: str | None = None) -> dict[str, str]:
    return {"www-authenticate": f'{REALM}, error="{error}"' if error else REALM}
