"""The HTTP API: from the socket to a handler and back, with the request log and the injected faults."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.background import BackgroundTasks
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.stripe.accounts import Accounts
from sandbox.stripe.api import (
    account,
    billing_portal,
    checkout,
    customers,
    invoices,
    payment_methods,
    payments,
    refunds,
    subscriptions,
    webhook_endpoints,
)
from sandbox.stripe.api.faults import Faults
from sandbox.stripe.api.idempotency import Stored
from sandbox.stripe.api.params import Params, decode
from sandbox.stripe.api.request import Answer, ApiRequest, Handler
from sandbox.stripe.endpoints import Endpoint
from sandbox.stripe.engine import BillingEngine
from sandbox.stripe.errors import ApiError
from sandbox.stripe.records import RequestRef
from sandbox.stripe.versions import NEW, ApiVersion

_MODULES = (
    invoices,
    payments,
    refunds,
    subscriptions,
    customers,
    payment_methods,
    billing_portal,
    checkout,
    account,
    webhook_endpoints,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """A request as it was answered; `replayed` when the answer came from an idempotency key.

    `account` is the connected account it was for.
    """

    id: str
    method: str
    path: str
    params: dict[str, Any]
    idempotency_key: str | None
    version: str
    status: int
    replayed: bool
    account: str | None = None


class StripeApi:
    """The API of all accounts. `requests` is its log, oldest first; `faults` what shall go wrong."""

    def __init__(
        self, engine: BillingEngine, *, api_key: str = "sk_test_sandbox", default_version: str = NEW
    ) -> None:
        self.accounts = Accounts(engine, api_key)
        self._main = engine.ledger
        self.default_version = default_version
        self.faults = Faults()
        self.requests: list[LoggedRequest] = []
        self.delivered: Callable[[str], bool] = lambda event_id: True
        self.endpoints: Sequence[Endpoint] = ()

    @property
    def api_key(self) -> str:
        """The main account's."""
        return self.accounts.api_key

    def routes(self) -> list[BaseRoute]:
        """Starlette routes, the last one answering for every unknown address."""
        known: list[BaseRoute] = [
            Route(path, self._endpoint(handler), methods=[method])
            for module in _MODULES
            for method, path, handler in module.ROUTES
        ]
        rest = Route("/v1/{rest:path}", self._endpoint(_unknown), methods=["GET", "POST", "DELETE"])
        return [*known, rest]

    def requested(self, method: str, path: str = "") -> list[LoggedRequest]:
        """The logged requests with this method whose path starts so."""
        return [each for each in self.requests if each.method == method and each.path.startswith(path)]

    def _endpoint(self, handler: Handler) -> Callable[[Request], Any]:
        async def endpoint(http: Request) -> Response:
            fault = self.faults.take(http.method, http.url.path)
            if fault is not None and fault.seconds:
                await asyncio.sleep(fault.seconds)
            if fault is not None and fault.status is not None and not fault.after:
                return _response(fault.status, {"error": fault.error}, fault.headers)
            body = (await http.body()).decode()
            answer = await run_in_threadpool(self._answer, handler, http, body)
            if fault is not None and fault.status is not None:
                lost = _response(fault.status, {"error": fault.error}, fault.headers)
                lost.background = answer.background
                return lost
            return answer

        return endpoint

    def _answer(self, handler: Handler, http: Request, body: str) -> Response:
        key = http.headers.get("idempotency-key") if http.method == "POST" else None
        version = http.headers.get("stripe-version", self.default_version)
        connected = http.headers.get("stripe-account")
        with self._main.lock:
            ref = RequestRef(id=self._main.ids.new("req"), idempotency_key=key)
        params: dict[str, Any] = {}
        work: list[Callable[[], object]] = []
        try:
            account = self.accounts.of(http.headers.get("authorization", ""), connected)
            params = decode(parse_qsl(http.url.query + "&" + body, keep_blank_values=True))
            request = ApiRequest(
                engine=account.engine,
                method=http.method,
                url=http.url.path,
                path=dict(http.path_params),
                params=Params(params),
                version=_version(version),
                delivered=self.delivered,
                endpoints=[each for each in self.endpoints if each.account == account.name],
                work=work,
            )
            stored, replayed = account.calls.carry_out(handler, request, ref)
        except ApiError as error:
            stored, replayed = Stored(error.status, {"error": error.error}), False
        self.requests.append(
            LoggedRequest(
                id=ref.id or "",
                method=http.method,
                path=http.url.path,
                params=params,
                idempotency_key=key,
                version=version,
                status=stored.status,
                replayed=replayed,
                account=connected,
            )
        )
        headers = {"Request-Id": ref.id or "", "Stripe-Version": version}
        if key is not None:
            headers |= {"Idempotency-Key": key}
        if replayed:
            headers |= {"Idempotent-Replayed": "true"}
        return _response(stored.status, stored.body, headers, work)


def _unknown(request: ApiRequest) -> Answer:
    raise ApiError.invalid(f"Unrecognized request URL ({request.method}: {request.url}).", status=404)


def _version(name: str) -> ApiVersion:
    try:
        return ApiVersion(name)
    except ValueError as error:
        raise ApiError.invalid(str(error)) from error


def _response(
    status: int,
    body: dict[str, Any],
    headers: dict[str, str],
    work: list[Callable[[], object]] | None = None,
) -> Response:
    background = BackgroundTasks()
    for each in work or []:
        background.add_task(each)
    content = json.dumps(body, ensure_ascii=False).encode()
    return Response(content, status, headers, "application/json", background)
