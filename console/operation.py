"""One thing that can be asked of the API: how it is reached, who may ask it, and what is said of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.keys import HOLDER, scope_missing
from console.scopes import Scope

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """`answer` is the type of the JSON that a 200 carries, as pydantic understands types.

    `scope` None: it needs no key. `query` and `body` are what the endpoint reads with `console.inputs`, and
    `headers` those it reads beside them. `problems` are the codes that may come back, by status, beside those
    that any request may get.
    """

    method: str
    path: str
    summary: str
    endpoint: Endpoint
    answer: Any
    scope: Scope | None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    headers: type[BaseModel] | None = None
    problems: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    about: str = ""
    media_type: str = "application/json"
    etag: bool = False


def routes(operations: Iterable[Operation], prefix: str = "") -> list[Route]:
    """One route a path, so that a wrong method hears of all that are right. `prefix` is left out of paths."""
    by_path: dict[str, dict[str, Operation]] = {}
    for each in operations:
        by_path.setdefault(each.path.removeprefix(prefix), {})[each.method] = each
    return [Route(path, _any_of(found), methods=list(found)) for path, found in by_path.items()]


def _any_of(operations: Mapping[str, Operation]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        operation = operations[method]
        if operation.scope is not None and operation.scope not in request.scope[HOLDER].scopes:
            return scope_missing(operation.scope)
        return await operation.endpoint(request)

    return endpoint
