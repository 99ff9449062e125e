"""May this customer use the product, and what should they be told? Each by one statement on local rows.

`GET /v1/access/{customer}` and `GET /v1/banner/{customer}` want a key with the scope `access`.
`GET /v1/banner.js` shows the second one's answer in a browser, which holds no key.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, tzinfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console import problems
from console.answer import answer
from console.described import AccessAnswer, BannerAnswer, Language, Source, Standing
from console.notice import notice
from console.operation import Operation
from console.replies import has, reply
from console.scopes import Scope
from console.script import script
from console.store import BEHIND, Store, Unavailable
from db.access import AccessRow, CaseLink
from language.accept import wanted
from portal.links import Pages

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
        row = await self._store.access(source, customer) if customer else None
        if row is None:
            return problems.problem(404, "unknown_customer", problems.UNKNOWN_CUSTOMER)
        said = answer(row, now=self._clock(), tags=_tags(request), zone=self._zone)
        return _answered(request, json.dumps(said, ensure_ascii=False))

    async def banner(self, request: Request) -> Response:
        """What the application shows the customer, or 304 where the asker has it already."""
        source, customer = _asked(request)
        found = await self._look(source, customer) if customer else None
        if found is None:
            return problems.problem(404, "unknown_customer", problems.UNKNOWN_CUSTOMER)
        row, link = found
        said = notice(row, link, now=self._clock(), tags=_tags(request), zone=self._zone, pages=self._pages)
        return _answered(request, json.dumps(said, ensure_ascii=False).translate(_HARMLESS))

    async def _look(self, source: str | None, customer: str) -> tuple[AccessRow, CaseLink | None] | None:
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
        }
        if has(request.headers.getlist("if-none-match"), headers["etag"]):
            return Response(status_code=304, headers=headers)
        return Response(made.content, headers=headers, media_type="text/javascript; charset=utf-8")

    async def healthz(self, _: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        """The process can look things up; 503 otherwise."""
        try:
            await self._store.probe()
        except Unavailable as error:
            database = "behind" if str(error) == BEHIND else "down"
            return JSONResponse({"status": "unavailable", "database": database}, 503)
        return JSONResponse({"status": "ready", "database": "up"})


def _asked(request: Request) -> tuple[str | None, str]:
    """The provider, if one is named, and the customer; an empty one for what cannot exist."""
    source = request.query_params.get("source")
    customer = request.path_params["customer"]
    can_exist = _can_exist(customer) and (source is None or _can_exist(source))
    return source, customer if can_exist else ""


def _tags(request: Request) -> list[str]:
    return wanted(request.headers.get("accept-language", ""))


def _answered(request: Request, said: str) -> Response:
    """The answer, or 304 where the asker has it."""
    return reply(request, said.encode() + b"\n", cache=f"private, max-age={MAX_AGE}", vary="Accept-Language")


def _can_exist(ref: str) -> bool:
    """Whether PostgreSQL can be asked for it at all: its texts hold no NUL."""
    return 0 < len(ref) <= LONGEST_REF and ref.isprintable()


def access_operations(api: AccessApi) -> list[Operation]:
    """What applications ask, and what asks after the process itself."""
    unknown = {404: ("unknown_customer",)}
    return [
        Operation(
            "GET",
            "/v1/access/{customer}",
            "May this customer use the product, until when, and why?",
            api.access,
            AccessAnswer,
            Scope.ACCESS,
            query=Source,
            headers=Language,
            problems=unknown,
            etag=True,
        ),
        Operation(
            "GET",
            "/v1/banner/{customer}",
            "What the application shows the customer",
            api.banner,
            BannerAnswer,
            Scope.ACCESS,
            query=Source,
            headers=Language,
            problems=unknown,
            etag=True,
        ),
        Operation(
            "GET",
            "/v1/banner.js",
            "The script that shows it in a browser",
            api.script,
            str,
            None,
            media_type="text/javascript",
            etag=True,
        ),
        Operation(
            "GET",
            "/v1/banner.{version}.js",
            "The same by its content, never to change",
            api.script,
            str,
            None,
            problems={404: ("not_found",)},
            media_type="text/javascript",
            etag=True,
        ),
        Operation("GET", "/healthz", "Does the process answer?", api.healthz, Standing, None),
        Operation("GET", "/readyz", "Can it look things up?", api.readyz, Standing, None),
    ]
