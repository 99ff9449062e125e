"""Errors as `application/problem+json` (RFC 9457). `code` is what a program may rely on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

RETRY_AFTER = "2"  # seconds

UNKNOWN_CUSTOMER = "Nothing has been heard of this customer. That is not the same as having no access."
UNAVAILABLE = (
    "Access cannot be looked up at the moment. Keep what the customer had: lock nobody out for this answer."
)


def problem(
    status: int, code: str, detail: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A response of that status; `code` names the kind of problem, `detail` is for people."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code}
    if detail is not None:
        body["detail"] = detail
    return Response(
        json.dumps(body).encode() + b"\n",
        status,
        headers={"cache-control": "no-store", **(headers or {})},
        media_type="application/problem+json",
    )


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
