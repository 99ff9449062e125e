"""The merchant's own application, as small as one can be: all that it takes to show the banner and the wall.

As a program: python -m sandbox.shop --port PORT --api URL cus_123=Ada cus_456=Grace
with the key of the access API in DUNNING_API_KEYS. Its pages are under a strict Content-Security-Policy.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

import serving.server
from settings.logging import configure

TEMPLATES = Path(__file__).parent / "templates"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
LIMIT = 2.0  # seconds to wait for the access API before going on without it
# What is shown to whom the access API knows nothing of, or while it does not answer: nobody is locked out.
NOTHING = {"level": "full", "show": None}


class Shop:
    """The pages. `api` has the key, which never leaves this process; `customers` are names by id."""

    def __init__(self, api: httpx.AsyncClient, customers: Mapping[str, str]) -> None:
        self._api = api
        self._customers = customers
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    async def door(self, _: Request) -> Response:
        """Signing in, without a password: this is a sandbox."""
        return self._page("shop_door.html", customers=self._customers)

    async def desk(self, request: Request) -> Response:
        """What a customer works with, or not any more."""
        customer = request.path_params["customer"]
        if customer not in self._customers:
            raise HTTPException(404)
        language = request.headers.get("accept-language", "")
        notice = await self._notice(customer, {"accept-language": language} if language else {})
        # The wall is only paint. What has ended is not sent at all.
        level = notice["level"]
        return self._page("shop.html", name=self._customers[customer], notice=notice, level=level)

    async def script(self, _: Request) -> Response:
        """The script, fetched from the access API, so that the page loads nothing from anywhere else."""
        answer = await self._api.get("/v1/banner.js")
        kept = {"cache-control": answer.headers["cache-control"], "etag": answer.headers["etag"]}
        return Response(answer.content, headers=kept, media_type="text/javascript")

    async def style(self, _: Request) -> Response:
        """The style sheet."""
        return Response((TEMPLATES / "shop.css").read_text(encoding="utf-8"), media_type="text/css")

    async def _notice(self, customer: str, headers: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            answer = await self._api.get(f"/v1/banner/{customer}", headers=headers)
        except httpx.HTTPError:
            return NOTHING
        return answer.json() if answer.is_success else NOTHING

    def _page(self, template: str, **values: Any) -> Response:
        page = self._environment.get_template(template).render(values)
        return HTMLResponse(page, headers={"content-security-policy": CSP, "cache-control": "no-store"})


def create_app(api_url: str, key: str, customers: Mapping[str, str]) -> Starlette:
    """The ASGI application for these customers."""
    api = httpx.AsyncClient(
        base_url=api_url, headers={"authorization": f"Bearer {key}"}, timeout=LIMIT, trust_env=False
    )
    shop = Shop(api, customers)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with api:
            yield

    routes = [
        Route("/", shop.door),
        Route("/as/{customer}", shop.desk),
        Route("/banner.js", shop.script),
        Route("/shop.css", shop.style),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.shop")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--api", required=True)
    parser.add_argument("--log-format", default=os.environ.get("DUNNING_LOG_FORMAT", "auto"))
    parser.add_argument("customers", nargs="+", metavar="ID=NAME")
    given = parser.parse_args()
    customers = dict(each.split("=", 1) for each in given.customers)
    key = os.environ["DUNNING_API_KEYS"].split(",")[0]
    configure("shop", given.log_format)
    return serving.server.serve("shop", create_app(given.api, key, customers), "127.0.0.1", given.port)


if __name__ == "__main__":
    raise SystemExit(main())
