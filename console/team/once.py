"""Requests that change something, done once however often they are sent.

After draft-ietf-httpapi-idempotency-key-header: whoever asks names the request, and what was answered is
committed together with what was done. Killed at any point, it was done and is answered, or it was not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from console.keyring import Holder
from console.keys import HOLDER
from console.problems import PROBLEM, ProblemError
from console.team.services import Team
from db import api_requests
from db.api_requests import Answered

HEADER = "idempotency-key"
LONGEST = 255  # characters
REPLAYED = "idempotent-replayed"


class IdempotencyKey(BaseModel):
    """The header that names a request."""

    name: Annotated[
        str,
        Field(
            alias="Idempotency-Key",
            min_length=1,
            max_length=LONGEST,
            pattern="^[!-~]+$",
            description="A new random word, such as a UUID, for each thing you want; the same to repeat it.",
        ),
    ]


Work = Callable[[AsyncConnection, Holder], Awaitable[tuple[int, bytes]]]


def name_of(request: Request) -> str:
    """What the request is called by whoever sends it. Raises ProblemError without a name."""
    given = request.headers.getlist(HEADER)
    if not given:
        detail = (
            "Send `Idempotency-Key`: a new random word for each thing you want, the same when you repeat it."
        )
        raise ProblemError(400, "idempotency_key_missing", detail)
    # The draft writes it as a string in quotes; most clients leave them out.
    name = given[0].strip()
    name = name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name
    if len(given) > 1 or not 0 < len(name) <= LONGEST or not (name.isascii() and name.isprintable()):
        detail = f"An `Idempotency-Key` has up to {LONGEST} characters of printable ASCII, and there is one."
        raise ProblemError(400, "idempotency_key_invalid", detail)
    return name


async def once(team: Team, request: Request, name: str, body: BaseModel, work: Work) -> Response:
    """Do `work` in one transaction with the memory of it, or answer as it was answered before.

    `work` returns a status and JSON. What it raises undoes everything, and is not remembered.
    """
    holder: Holder = request.scope[HOLDER]
    assert holder.id is not None  # noqa: S101  # keys of the settings change nothing; tells mypy
    asked = f"{request.method} {request.url.path}?{request.url.query}\n{body.model_dump_json()}"
    fingerprint = sha256(asked.encode()).digest()
    async with team.writing() as connection:
        if not await api_requests.begin(connection, holder.id, name):
            detail = "The same request is being worked on: ask again in a moment."
            raise ProblemError(409, "request_in_progress", detail, {"retry-after": "1"})
        before = await api_requests.find(connection, holder.id, name)
        if before is not None:
            return _again(before, fingerprint)
        status, answer = await work(connection, holder)
        await api_requests.add(connection, holder.id, name, Answered(fingerprint, status, answer))
    return _response(status, answer)


def _again(before: Answered, fingerprint: bytes) -> Response:
    if before.fingerprint != fingerprint:
        detail = "This `Idempotency-Key` came with another request before: take a new one for each."
        raise ProblemError(422, "idempotency_key_reused", detail)
    answer = _response(before.status, before.answer)
    answer.headers[REPLAYED] = "true"
    return answer


def _response(status: int, answer: bytes) -> Response:
    media_type = PROBLEM if status >= 400 else "application/json"
    return Response(answer, status, headers={"cache-control": "no-store"}, media_type=media_type)
