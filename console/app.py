"""The API: what applications ask of customers' access, and what the team reads and decides.

Every request is one of the operations, which the document at `/v1/openapi.json` describes.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, tzinfo
from functools import cache

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Router

from console import problems
from console.access import AccessApi, access_operations
from console.keyring import Keyring
from console.keys import KeyRequired
from console.operation import Operation, routes
from console.replies import reply
from console.store import Store, Unavailable
from portal.links import Pages

PREFIX = "/v1"
DOCUMENT_CACHE = "public, max-age=300"


def create_app(
    store: Store,
    keyring: Keyring,
    more: Iterable[Operation] = (),
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    zone: tzinfo = UTC,
    pages: Pages | None = None,
    closing: Callable[[], Awaitable[None]] | None = None,
) -> Starlette:
    """The ASGI application with the access API and `more`.

    It starts and closes `store` with its lifespan; `closing` ends what `more` needs.
    """
    operations = [*access_operations(AccessApi(store, clock, zone, pages)), *more]
    operations.append(_document_of(operations))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await store.start()
        await keyring.start()
        try:
            yield
        finally:
            await keyring.close()
            await store.close()
            if closing:
                await closing()

    v1 = Router(
        routes((each for each in operations if each.scope), PREFIX),
        redirect_slashes=False,
        middleware=[Middleware(KeyRequired, keyring=keyring)],
    )
    app = Starlette(
        routes=[*routes(each for each in operations if not each.scope), Mount(PREFIX, app=v1)],
        lifespan=lifespan,
        exception_handlers={
            HTTPException: problems.for_http_exception,
            problems.ProblemError: problems.for_problem,
            Unavailable: problems.for_unavailable,
            Exception: problems.for_fault,
        },
    )
    app.router.redirect_slashes = False
    app.state.operations = tuple(operations)
    return app


def _document_of(operations: list[Operation]) -> Operation:
    """The operation that tells of all of them, itself included: the list is looked at when it is asked."""

    @cache
    def written() -> bytes:
        # Loads as much again as the rest of the process, and most processes are never asked.
        from console.openapi import document

        return json.dumps(document(operations)).encode() + b"\n"

    async def endpoint(request: Request) -> Response:
        return reply(request, written(), cache=DOCUMENT_CACHE)

    return Operation(
        "GET",
        f"{PREFIX}/openapi.json",
        "This document",
        endpoint,
        dict[str, object],
        None,
        etag=True,
    )
