"""The access API: may this customer use the product, and what should they be told?

`GET /v1/access/{customer}` with a bearer key, from the local rows alone, by one statement.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router

from console import problems
from console.answer import answer
from console.keys import KeyRequired, Keys
from console.store import Store, Unavailable
from language.accept import wanted

DEFAULT_SOURCE = "stripe"
# Seconds an application may go on with an answer: as long as a payment may take to be noticed.
MAX_AGE = 10
LONGEST_REF = 255  # characters


class AccessApi:
    """The endpoints. `clock` tells the wall time; banners show dates in `zone`."""

    def __init__(self, store: Store, clock: Callable[[], datetime], zone: tzinfo) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone

    async def access(self, request: Request) -> Response:
        """One customer's access, or 304 where the asker has it already."""
        source = request.query_params.get("source", DEFAULT_SOURCE)
        customer = request.path_params["customer"]
        row = None
        if _can_exist(source) and _can_exist(customer):
            row = await self._store.access(source, customer)
        if row is None:
            return problems.problem(404, "unknown_customer", problems.UNKNOWN_CUSTOMER)
        tags = wanted(request.headers.get("accept-language", ""))
        body = (
            json.dumps(
                answer(row, now=self._clock(), tags=tags, zone=self._zone), ensure_ascii=False
            ).encode()
            + b"\n"
        )
        headers = {
            "etag": f'"{blake2b(body, digest_size=12).hexdigest()}"',
            "cache-control": f"private, max-age={MAX_AGE}",
            "vary": "Accept-Language",
        }
        if _has(request.headers.getlist("if-none-match"), headers["etag"]):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/json")

    async def healthz(self, _: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        """The process can look things up; 503 otherwise."""
        try:
            await self._store.probe()
        except Unavailable:
            return JSONResponse({"status": "unavailable", "database": "down"}, 503)
        return JSONResponse({"status": "ready", "database": "up"})


def _can_exist(ref: str) -> bool:
    """Whether PostgreSQL can be asked for it at all: its texts hold no NUL."""
    return 0 < len(ref) <= LONGEST_REF and ref.isprintable()


def _has(if_none_match: list[str], etag: str) -> bool:
    """Whether the asker's copy is the present one (RFC 9110, 13.1.2: compared weakly, `*` matches any)."""
    candidates = [item.strip() for value in if_none_match for item in value.split(",")]
    return "*" in candidates or etag in (item.removeprefix("W/") for item in candidates)


def create_app(
    store: Store,
    keys: Iterable[str],
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    zone: tzinfo = UTC,
) -> Starlette:
    """The ASGI application. It starts and closes `store` with its lifespan."""
    api = AccessApi(store, clock, zone)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await store.start()
        try:
            yield
        finally:
            await store.close()

    v1 = Router(
        [Route("/access/{customer}", api.access)],
        redirect_slashes=False,
        middleware=[Middleware(KeyRequired, keys=Keys(keys))],
    )
    app = Starlette(
        routes=[Route("/healthz", api.healthz), Route("/readyz", api.readyz), Mount("/v1", app=v1)],
        lifespan=lifespan,
        exception_handlers={
            HTTPException: problems.for_http_exception,
            Unavailable: problems.for_unavailable,
            Exception: problems.for_fault,
        },
    )
    app.router.redirect_slashes = False
    return app
