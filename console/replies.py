"""What all answers to a GET have in common: an ETag, and 304 where the asker has it already (RFC 9110)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response


def reply(request: Request, body: bytes, *, cache: str, vary: str | None = None) -> Response:
    """`body` is JSON; `cache` is the Cache-Control header."""
    headers = {
        "etag": f'"{blake2b(body, digest_size=12).hexdigest()}"',
        "cache-control": cache,
        **({"vary": vary} if vary else {}),
    }
    if has(request.headers.getlist("if-none-match"), headers["etag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def has(if_none_match: Sequence[str], etag: str) -> bool:
    """Whether the asker's copy is the present one (RFC 9110, 13.1.2: compared weakly, `*` matches any)."""
    candidates = [item.strip() for value in if_none_match for item in value.split(",")]
    return "*" in candidates or etag in (item.removeprefix("W/") for item in candidates)
