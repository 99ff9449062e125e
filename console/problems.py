"""Errors as `application/problem+json` (RFC 9457). `code` is what a program may rely on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

PROBLEM = "application/problem+json"
RETRY_AFTER = "2"  # seconds

UNKNOWN_CUSTOMER = "Nothing has been heard of this customer. That is not the same as having no access."
UNAVAILABLE = (
    "It cannot be looked up at the moment. If you asked for access, keep what the customer had: "
    "lock nobody out for this answer."
)


class ProblemError(Exception):
    """A request that is answered with a problem. `more` are members beside those of RFC 9457."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.headers, self.more = status, code, detail, headers, more


def problem(
    status: int,
    code: str,
    detail: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Response:
    """A response of that status; `code` names the kind of problem, `detail` is for people."""
    return Response(
        problem_body(status, code, detail, **more),
        status,
        headers={"cache-control": "no-store", **(headers or {})},
        media_type=PROBLEM,
    )


def problem_body(status: int, code: str, detail: str | None = None, **more: object) -> bytes:
    """The JSON of such a response."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code}
    if detail is not None:
        body["detail"] = detail
    return json.dumps({**body, **more}).encode() + b"\n"


async def for_problem(_: Request, error: Exception) -> Response:
    """What an endpoint raises."""
    assert isinstance(error, ProblemError)  # noqa: S101  # registered for this class; tells mypy
    return problem(error.status, error.code, error.detail, error.headers, **error.more)


async def for_http_exception(_: Request, error: Exception) -> Response:
    """What the router raises: no such page, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class; tells mypy
    code = HTTPStatus(error.status_code).name.lower()
    return problem(error.status_code, code, headers=error.headers)


async def for_unavailable(_: Request, __: Exception) -> Response:
    """The database is away: a 503 that says what to do about it."""
    return problem(503, "unavailable", UNAVAILABLE, {"retry-after": RETRY_AFTER})


async def for_fault(_: Request, __: Exception) -> Response:
    """A fault of ours, which uvicorn logs. Nothing of it is shown."""
    return problem(500, "fault", UNAVAILABLE)
