"""The access API: may this customer use the product, and what should they be told?

`GET /v1/access/{customer}` and `GET /v1/banner/{customer}` with a bearer key, each from the local rows alone,
by one statement. `GET /v1/banner.js` shows the second one's answer in a browser, which holds no key.
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
from console.notice import notice
from console.script import script
from console.store import Store, Unavailable
from db.access import AccessRow, CaseLink
from language.accept import wanted
from portal.links import Pages

DEFAULT_SOURCE = "stripe"
# Seconds an application may go on with an answer: as long as a payment may take to be noticed.
MAX_AGE = 10
LONGEST_REF = 255  # characters
# Seconds a browser goes on with the script under its plain name; under its own name it never changes.
SCRIPT_MAX_AGE = 3600
FOREVER = "public, max-age=31536000, immutable"
# So that an answer can stand within a page's `<script>` as it is.
_HARMLESS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


class AccessApi:
    """The endpoints. `clock` tells the wall time; banners show dates in `zone` and lead to `pages`."""

    def __init__(
        self, store: Store, clock: Callable[[], datetime], zone: tzinfo, pages: Pages | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._pages = pages

    async def access(self, request: Request) -> Response:
        """One customer's access, or 304 where the asker has it already."""
        source, customer = _asked(request)
        row = await self._store.access(source, customer) if source else None
        if row is None:
            return problems.problem(404, "unknown_customer", problems.UNKNOWN_CUSTOMER)
        said = answer(row, now=self._clock(), tags=_tags(request), zone=self._zone)
        return _answered(request, json.dumps(said, ensure_ascii=False))

    async def banner(self, request: Request) -> Response:
        """What the application shows the customer, or 304 where the asker has it already."""
        source, customer = _asked(request)
        found = await self._look(source, customer) if source else None
        if found is None:
            return problems.problem(404, "unknown_customer", problems.UNKNOWN_CUSTOMER)
        row, link = found
        said = notice(row, link, now=self._clock(), tags=_tags(request), zone=self._zone, pages=self._pages)
        return _answered(request, json.dumps(said, ensure_ascii=False).translate(_HARMLESS))

    async def _look(self, source: str, customer: str) -> tuple[AccessRow, CaseLink | None] | None:
        if self._pages:
            return await self._store.access_with_link(source, customer)
        row = await self._store.access(source, customer)
        return (row, None) if row else None

    async def script(self, request: Request) -> Response:
        """The script for browsers, which is no secret: under its plain name, or its own of this version."""
        made = script()
        named = request.path_params.get("version")
        if named is not None and f"banner.{named}.js" != made.name:
            raise HTTPException(404)
        headers = {
            "etag": f'"{made.name}"',
            "cache-control": FOREVER if named else f"public, max-age={SCRIPT_MAX_AGE}",
            "x-content-type-options": "nosniff",
        }
        if _has(request.headers.getlist("if-none-match"), headers["etag"]):
            return Response(status_code=304, headers=headers)
        return Response(made.content, headers=headers, media_type="text/javascript; charset=utf-8")

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


def _asked(request: Request) -> tuple[str, str]:
    """The provider and the customer; two empty words for what cannot exist."""
    source = request.query_params.get("source", DEFAULT_SOURCE)
    customer = request.path_params["customer"]
    return (source, customer) if _can_exist(source) and _can_exist(customer) else ("", "")


def _tags(request: Request) -> list[str]:
    return wanted(request.headers.get("accept-language", ""))


def _answered(request: Request, said: str) -> Response:
    """The answer, or 304 where the asker has it."""
    body = said.encode() + b"\n"
    headers = {
        "etag": f'"{blake2b(body, digest_size=12).hexdigest()}"',
        "cache-control": f"private, max-age={MAX_AGE}",
        "vary": "Accept-Language",
    }
    if _has(request.headers.getlist("if-none-match"), headers["etag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


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
    pages: Pages | None = None,
) -> Starlette:
    """The ASGI application. It starts and closes `store` with its lifespan."""
    api = AccessApi(store, clock, zone, pages)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await store.start()
        try:
            yield
        finally:
            await store.close()

    v1 = Router(
        [Route("/access/{customer}", api.access), Route("/banner/{customer}", api.banner)],
        redirect_slashes=False,
        middleware=[Middleware(KeyRequired, keys=Keys(keys))],
    )
    app = Starlette(
        routes=[
            Route("/healthz", api.healthz),
            Route("/readyz", api.readyz),
            Route("/v1/banner.js", api.script),
            Route("/v1/banner.{version}.js", api.script),
            Mount("/v1", app=v1),
        ],
        lifespan=lifespan,
        exception_handlers={
            HTTPException: problems.for_http_exception,
            Unavailable: problems.for_unavailable,
            Exception: problems.for_fault,
        },
    )
    app.router.redirect_slashes = False
    return app
