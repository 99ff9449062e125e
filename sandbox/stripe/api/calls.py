"""What surrounds every handler: the key, idempotency, errors, and the body in the reader's version."""

import json
from collections.abc import Collection
from typing import Any

from sandbox.stripe.api.expand import Expansion
from sandbox.stripe.api.idempotency import IdempotencyKeys, Stored
from sandbox.stripe.api.request import Answer, ApiRequest, Handler, Page
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import UnknownObjectError
from sandbox.stripe.objects import render
from sandbox.stripe.records import RequestRef


def given_key(authorization: str, known: Collection[str]) -> str:
    """Raises ApiError (401) unless the header is `Bearer` with a known key."""
    scheme, _, given = authorization.partition(" ")
    if scheme != "Bearer" or not given:
        raise ApiError.invalid(
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    if given not in known:
        shown = f"{given[:8]}{'*' * max(0, len(given) - 12)}{given[-4:]}"
        raise ApiError.invalid(f"Invalid API Key provided: {shown}", status=401)
    return given


class Calls:
    """Carries requests out, each under the account's lock and at most once per idempotency key."""

    def __init__(self) -> None:
        self._keys = IdempotencyKeys()

    def carry_out(self, handler: Handler, request: ApiRequest, ref: RequestRef) -> tuple[Stored, bool]:
        """The answer, and whether it is a replayed one. Raises ApiError when nothing was attempted."""
        key = ref.idempotency_key
        if key is None:
            return _perform(handler, request, ref), False
        fingerprint = json.dumps([request.method, request.url, request.params.values], sort_keys=True)
        known = self._keys.claim(key, fingerprint)
        if known is not None:
            return known, True
        try:
            answer = _perform(handler, request, ref)
        except BaseException:
            self._keys.release(key)
            raise
        self._keys.store(key, fingerprint, answer)
        return answer, False


def _perform(handler: Handler, request: ApiRequest, ref: RequestRef) -> Stored:
    ledger = request.ledger
    with ledger.lock, ledger.requested_by(ref):
        try:
            return Stored(200, _body(request, handler(request)))
        except UnknownObjectError as error:
            missing = ApiError.missing(str(error))
            return Stored(missing.status, {"error": missing.error})
        except ApiError as error:
            # A refused payment was attempted, so its key must give the same answer again.
            if error.status == 402:
                return Stored(402, {"error": error.error})
            raise


def _body(request: ApiRequest, answer: Answer) -> dict[str, Any]:
    if isinstance(answer, dict):
        return answer
    if isinstance(answer, Page):
        body: dict[str, Any] = {
            "object": "list",
            "data": [render(each, request.version) for each in answer.records],
            "has_more": answer.has_more,
            "url": request.url,
        }
    else:
        body = render(answer, request.version)
    paths = [str(path) for path in request.params.each("expand")]
    return Expansion(request.ledger, request.version).apply(body, paths)
