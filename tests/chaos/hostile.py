"""What becomes of genuine requests in somebody's hands, by a seed; and a way to send them in-process."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

Headers = tuple[tuple[bytes, bytes], ...]

# What has broken parsers before.
NASTY = (
    b"\xff\xfe", b"\xc3\x28", b"%00", b"%", b"%zz", b"%ff", b"\x7f", b"\xb2", b"\xa0", b"\xe2\x80\xae",
    b"'", b'"', b"\\", b";", b",", b"=", b"&", b"../", b"{{7*7}}", b"${x}", b"<script>", b"null", b"NaN",
    b"1e999", b"-1", b"0x1", b"9" * 5_000, b"[" * 5_000, b'{"a":' * 500, b'"\\ud800"', b'"\\u0000"',
    b"x" * 70_000, b"v0=", b"v1=", b"t=", b"v1,", b"Bearer ", b"Basic ", b"*", b'W/"', b"bytes=0-",
)  # fmt: skip
HEADERS = (
    b"authorization", b"stripe-signature", b"svix-id", b"svix-timestamp", b"svix-signature",
    b"content-length", b"content-type", b"content-encoding", b"accept-language", b"if-none-match",
    b"cookie", b"host", b"origin", b"sec-fetch-site", b"x-forwarded-for", b"x-forwarded-host",
    b"x-http-method-override", b"idempotency-key", b"expect", b"range", b"traceparent",
    b"transfer-encoding",
)  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "")
ODD_JSON: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 1.5, float("nan"), "", "\x00", "\ud800", "\u202e", "x" * 20_000, [], [[]], {},
    {"a": None}, ["x"] * 500, "[" * 3_000, "2026-02-30", "2026-01-01T00:00:00", "-P1D",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it is on the wire; `leaves_early`: the client goes away before the end of the body."""

    method: str
    path: bytes
    headers: Headers = ()
    body: bytes = b""
    query: bytes = b""
    leaves_early: bool = False

    def values(self, name: bytes) -> list[bytes]:
        """What the headers of this name hold."""
        return [value for key, value in self.headers if key == name]


@dataclass(frozen=True, slots=True)
class Heard:
    """The answer; `fault` is what the application raised."""

    status: int
    body: bytes
    fault: str | None = None


def mutated(chance: random.Random, sent: Sent) -> Sent:
    """The request with one to three things changed."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        change = chance.choice(CHANGES)
        sent = change(chance, sent)
    return sent


def in_bytes(chance: random.Random, value: bytes) -> bytes:
    """Some bytes changed, left out, put in, cut off or said twice."""
    at, to = sorted((chance.randrange(len(value) + 1), chance.randrange(len(value) + 1)))
    match chance.randrange(6):
        case 0 if value:
            at = min(at, len(value) - 1)
            return value[:at] + bytes([value[at] ^ chance.randrange(1, 256)]) + value[at + 1 :]
        case 1:
            return value[:at] + value[to:]
        case 2:
            return value[:at] + bytes([chance.randrange(256)]) + value[at:]
        case 3:
            return value[:at]
        case 4:
            return value[:to] + value[at:]
    return value[:at] + chance.choice(NASTY) + value[at:]


def _body(chance: random.Random, sent: Sent) -> Sent:
    return replace(sent, body=in_bytes(chance, sent.body))


def in_json(chance: random.Random, value: bytes) -> bytes:
    """One place of a JSON document holds something odd; of anything else, some of its bytes are changed."""
    try:
        whole = json.loads(value)
    except (ValueError, RecursionError):
        return in_bytes(chance, value)
    holder = whole
    while isinstance(holder, dict | list) and holder:
        key: Any = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        if not isinstance(holder[key], dict | list) or chance.random() < 0.3:
            holder[key] = chance.choice(ODD_JSON)
            break
        holder = holder[key]
    return json.dumps(whole).encode()


def _leaf(chance: random.Random, sent: Sent) -> Sent:
    return replace(sent, body=in_json(chance, sent.body))


def _header(chance: random.Random, sent: Sent) -> Sent:
    """A header changed, left out, said twice, called otherwise, or one more."""
    headers = list(sent.headers)
    at = chance.randrange(len(headers)) if headers else 0
    match chance.randrange(5) if headers else 4:
        case 0:
            headers[at] = (headers[at][0], in_header(in_bytes(chance, headers[at][1])))
        case 1:
            del headers[at]
        case 2:
            headers.append((headers[at][0], in_header(in_bytes(chance, headers[at][1]))))
        case 3:
            headers[at] = (chance.choice(HEADERS), headers[at][1])
        case _:
            headers.append((chance.choice(HEADERS), in_header(chance.choice(NASTY))))
    return replace(sent, headers=tuple(headers))


def in_header(value: bytes) -> bytes:
    """Without what no server lets through to an application."""
    return bytes(byte for byte in value if byte >= 0x20 and byte != 0x7F).strip()


def _path(chance: random.Random, sent: Sent) -> Sent:
    changed = bytes(byte for byte in in_bytes(chance, sent.path) if 0x20 < byte < 0x7F and byte not in b"?#")
    return replace(sent, path=b"/" + changed.lstrip(b"/"))


def _query(chance: random.Random, sent: Sent) -> Sent:
    given = bytes(byte for byte in in_bytes(chance, sent.query or b"limit=1") if 0x20 < byte < 0x7F)
    return replace(sent, query=given)


def _method(chance: random.Random, sent: Sent) -> Sent:
    return replace(sent, method=chance.choice(METHODS))


def _leaving(chance: random.Random, sent: Sent) -> Sent:
    return replace(sent, leaves_early=bool(sent.body))


CHANGES = (_body, _body, _leaf, _leaf, _header, _header, _header, _path, _query, _method, _leaving)


async def ask(app: ASGIApp, sent: Sent) -> Heard:
    """Send a request to an application as uvicorn would, in two parts."""
    half = len(sent.body) // 2
    parts: list[Message] = [
        {"type": "http.request", "body": sent.body[:half], "more_body": True},
        {"type": "http.disconnect"}
        if sent.leaves_early
        else {"type": "http.request", "body": sent.body[half:], "more_body": False},
    ]
    said: list[Message] = []

    async def receive() -> Message:
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8080),
        "client": ("192.0.2.7", 50_000),
        "scheme": "http",
        "method": sent.method,
        "root_path": "",
        "path": unquote(sent.path.decode("ascii")),
        "raw_path": sent.path,
        "query_string": sent.query,
        "headers": list(sent.headers),
        "state": {},
    }
    fault = None
    try:
        await app(scope, receive, send)
    except Exception as error:  # what uvicorn would log and answer with 500
        fault = repr(error)
    status = next((message["status"] for message in said if "status" in message), 0)
    return Heard(status, b"".join(message.get("body", b"") for message in said), fault)


def faults(heard: Sequence[tuple[Sent, Heard]]) -> list[str]:
    """Every request that was a fault of ours: answered 5xx, or by an error."""
    return [
        f"{answer.status} {answer.fault} for {sent!r}"[:900]
        for sent, answer in heard
        if answer.fault or answer.status >= 500
    ]
