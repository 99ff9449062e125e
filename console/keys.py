"""Who may ask: bearer keys (RFC 6750), several of them, so that one can be replaced without a gap."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from console import scopes
from console.keyring import Keyring
from console.problems import problem

REALM: Final = 'Bearer realm="dunning"'
# Where a request's scope says whose key it came with.
HOLDER: Final = "dunning.holder"


class KeyRequired:
    """ASGI middleware: requests without a good key are answered 401 before anything is looked at."""

    def __init__(self, app: ASGIApp, keyring: Keyring) -> None:
        self._app = app
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = _bearer(Headers(scope=scope).getlist("authorization"))
        holder = await self._keyring.holder(given) if given else None
        if given is None:
            refused = problem(401, "key_missing", "Send a key: `Authorization: Bearer ...`.", _challenge())
            await refused(scope, receive, send)
        elif holder is None:
            refused = problem(401, "key_unknown", "This key is not known.", _challenge("invalid_token"))
            await refused(scope, receive, send)
        else:
            self._keyring.note(holder)
            scope[HOLDER] = holder
            await self._app(scope, receive, send)


def scope_missing(wanted: scopes.Scope) -> Response:
    """A good key that may not do this."""
    detail = f"This key may not {scopes.MEANINGS[wanted]}: that is the scope `{wanted}`."
    challenge = {"www-authenticate": f'{REALM}, error="insufficient_scope", scope="{wanted}"'}
    return problem(403, "scope_missing", detail, challenge)


def _bearer(values: list[str]) -> bytes | None:
    """The token as the bytes that were sent, or None when there is no one bearer token."""
    if len(values) != 1:
        return None
    scheme, _, token = values[0].partition(" ")
    # Header values are bytes, which Starlette shows as latin-1.
    return token.strip().encode("latin-1") or None if scheme.lower() == "bearer" else None


def _challenge(error: str | None = None) -> dict[str, str]:
    return {"www-authenticate": f'{REALM}, error="{error}"' if error else REALM}
