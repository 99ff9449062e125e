"""The little HTTP the receiver speaks: fixed answers, and a body that is read within limits."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

MAX_BODY = 256 * 1024  # bytes; Stripe's events are far smaller
MAX_DISCARD = 1024 * 1024  # bytes read and thrown away, so that the sender of too much still hears why

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Disconnected(Exception):  # noqa: N818 -- the client's doing
    """The client went away before its request was complete."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete response: the two ASGI messages, made once."""

    status: int
    start: Message
    body: Message

    async def send(self, send: Send) -> None:
        """Answer with it."""
        await send(self.start)
        await send(self.body)


def answer(status: int, body: bytes, kind: bytes = b"text/plain; charset=utf-8", **headers: str) -> Answer:
    """An Answer with this body; header names are given with underscores."""
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    fields += [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    return Answer(
        status,
        {"type": "http.response.start", "status": status, "headers": fields},
        {"type": "http.response.body", "body": body},
    )


class Refused(Exception):  # noqa: N818 -- the request's fault
    """The request is not taken. `reason` is a code, safe to log."""

    def __init__(self, reason: str, answer: Answer) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


TOO_LARGE = answer(413, b"too large\n", connection="close")
TOO_SLOW = answer(408, b"too slow\n", connection="close")


def header(scope: Scope, name: bytes) -> bytes:
    """The value of a header, several joined with commas as HTTP has it; empty when there is none."""
    return b",".join(value for key, value in scope["headers"] if key == name)


async def read_body(scope: Scope, receive: Receive, limit: float) -> bytes:
    """The whole body, which may take `limit` seconds.

    Raises Refused when it is too large or too slow, Disconnected when the client goes away before its end.
    """
    declared = header(scope, b"content-length")
    if declared.isdigit() and (len(declared) > 9 or int(declared) > MAX_DISCARD):
        raise Refused("too_large", TOO_LARGE)
    try:
        async with asyncio.timeout(limit):
            return await _read(receive)
    except TimeoutError:
        raise Refused("too_slow", TOO_SLOW) from None


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(chunk)
        if size > MAX_DISCARD:
            break
        if size <= MAX_BODY:
            chunks.append(chunk)
    if size > MAX_BODY:
        raise Refused("too_large", TOO_LARGE)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
