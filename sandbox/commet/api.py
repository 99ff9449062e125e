"""Commet's HTTP API over the books: what commet-sdk 9.7.0 asks for, and what may go wrong with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.commet.books import RECOVER, BusyError, CommetBooks
from sandbox.commet.objects import Json

VERSION = "2026-08-27"


@dataclass(frozen=True, slots=True)
class CommetFault:
    """What becomes of the next requests: an answer of this status, after so many seconds. 0: the real one."""

    status: int = 0
    code: str = "internal_error"
    seconds: float = 0
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818 -- what the API says, not a fault of ours
    status: int
    code: str


class CommetApi:
    """`requests` are those so far, method and path, oldest first; `faults` come to them in their order."""

    def __init__(self, books: CommetBooks, api_key: str) -> None:
        self.books, self.api_key = books, api_key
        self.requests: list[tuple[str, str]] = []
        self.faults: list[CommetFault] = []
        self.portal = True
        self.webhooks: list[Json] = []
        self._sold_by: dict[str, str] = {}

    def clear(self) -> None:
        """Nobody has asked, and nothing goes wrong."""
        self.requests.clear()
        self.faults.clear()
        self._sold_by.clear()
        self.webhooks.clear()
        self.portal = True

    def add_webhook(
        self, url: str, events: Iterable[str], *, active: bool = True, version: str = VERSION
    ) -> None:
        """List it; nothing is sent there."""
        made = {"object": "webhook", "livemode": False, "id": f"wh_{len(self.webhooks) + 1}", "url": url}
        self.webhooks.append(made | {"events": [*events], "isActive": active, "apiVersion": version})

    def routes(self) -> list[BaseRoute]:
        base = "/api/v1"
        return [
            Route(f"{base}/customers", self._answers(self._customers)),
            Route(f"{base}/customers/{{id:path}}", self._answers(self._customer)),
            Route(f"{base}/subscriptions", self._answers(self._subscriptions)),
            Route(f"{base}/subscriptions", self._answers(self._sold), methods=["POST"]),
            Route(f"{base}/subscriptions/{{id}}", self._answers(self._subscription)),
            Route(
                f"{base}/subscriptions/{{id}}/recovery-links", self._answers(self._recovery), methods=["POST"]
            ),
            Route(f"{base}/invoices", self._answers(self._invoices)),
            Route(f"{base}/invoices/{{id}}", self._answers(self._invoice)),
            Route(f"{base}/transactions", self._answers(self._transactions)),
            Route(f"{base}/webhooks", self._answers(lambda request, _: _page(request, self.webhooks))),
            Route(f"{base}/portal/sessions", self._answers(self._session), methods=["POST"]),
        ]

    def _answers(self, handler: Callable[[Request, Json], Json]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            self.requests.append((request.method, request.url.path.removeprefix("/api/v1")))
            fault = self.faults.pop(0) if self.faults else CommetFault()
            await asyncio.sleep(fault.seconds)
            if fault.body is not None:
                return Response(fault.body, fault.status, media_type="application/json")
            if fault.status:
                return _refused(Refusal(fault.status, fault.code))
            if request.headers.get("x-api-key") != self.api_key:
                return _refused(Refusal(401, "unauthorized"))
            if request.headers.get("commet-version") != VERSION:
                return _refused(Refusal(400, "validation_error"))
            try:
                body = await request.json() if request.method == "POST" and await request.body() else {}
                return JSONResponse(handler(request, body))
            except Refusal as refusal:
                return _refused(refusal)

        return endpoint

    def _customers(self, request: Request, _: Json) -> Json:
        wanted = request.query_params.get("externalId")
        return _page(
            request,
            (each for each in self.books.customers.values() if wanted in (None, each["externalId"])),
        )

    def _customer(self, request: Request, _: Json) -> Json:
        return _one(self.books.customers, request, "customer_not_found")

    def _subscriptions(self, request: Request, _: Json) -> Json:
        """Without pages: the API has no cursor for them. A customer is named by either id."""
        found = _matching(self.books.subscriptions, request, status="status")
        if "customerId" in request.query_params:
            of = self.books.of(request.query_params["customerId"])
            found = (each for each in found if each["customerId"] in (of["id"], of["externalId"]))
        return {"object": "list", "data": list(found), "hasMore": False}

    def _sold(self, request: Request, body: Json) -> Json:
        """Once for each idempotency key (docs: Errors)."""
        key = request.headers.get("idempotency-key", "")
        if key not in self._sold_by:
            try:
                self._sold_by[key] = self.books.begin(body["customerId"], body["planId"], body.get("priceId"))
            except BusyError:
                raise Refusal(409, "already_has_active_subscription") from None
        return self.books.subscriptions[self._sold_by[key]]

    def _subscription(self, request: Request, _: Json) -> Json:
        return _one(self.books.subscriptions, request, "subscription_not_found")

    def _recovery(self, request: Request, _: Json) -> Json:
        of = _one(self.books.subscriptions, request, "subscription_not_found")
        if of["status"] != "past_due":
            raise Refusal(409, "invalid_subscription_status")
        link = {"url": f"{RECOVER}/{of['id']}", "token": of["id"]}
        return {"object": "recovery_link", "livemode": False} | link

    def _invoices(self, request: Request, _: Json) -> Json:
        names = {"customerId": "customerId", "status": "status", "subscriptionId": "subscriptionId"}
        return _page(request, _matching(self.books.invoices, request, **names))

    def _invoice(self, request: Request, _: Json) -> Json:
        return _one(self.books.invoices, request, "invoice_not_found")

    def _transactions(self, request: Request, _: Json) -> Json:
        found = _matching(self.books.transactions, request, status="status", customerEmail="customerEmail")
        return _page(request, found)

    def _session(self, _: Request, body: Json) -> Json:
        if not self.portal or all(
            body.get("customerId") not in (each["id"], each["externalId"])
            for each in self.books.customers.values()
        ):
            raise Refusal(404, "customer_not_found")
        url = f"https://commet.co/portal/session-{len(self.requests)}"
        return {"object": "portal_session", "livemode": False, "portalUrl": url}


def _matching(things: dict[str, Json], request: Request, **names: str) -> Iterable[Json]:
    given = {
        name: request.query_params[query] for query, name in names.items() if query in request.query_params
    }
    return (each for each in things.values() if all(each[name] == value for name, value in given.items()))


def _one(things: dict[str, Json], request: Request, code: str) -> Json:
    found = things.get(request.path_params["id"])
    if found is None:
        raise Refusal(404, code)
    return found


def _page(request: Request, things: Iterable[Json]) -> Json:
    """The newest first."""
    listed = list(things)[::-1]
    start, most = int(request.query_params.get("cursor", 0)), int(request.query_params.get("limit", 20))
    more = start + most < len(listed)
    next_cursor = {"nextCursor": str(start + most)} if more else {}
    return {"object": "list", "data": listed[start : start + most], "hasMore": more} | next_cursor


def _refused(refusal: Refusal) -> JSONResponse:
    said = {"type": "error", "code": refusal.code, "message": "grace@customer.example may stand here"}
    return JSONResponse({"error": said}, refusal.status)
