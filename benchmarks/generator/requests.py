"""Requests as bytes, made before the clock starts."""

import hmac
import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any

EVENT_ID = "evt_bench_000000000000"
"""Stands in a template where each request has an id of its own, of the same length."""


def supply(kind: str, **options: Any) -> Iterator[bytes]:
    """The requests a job asks for: `events` (many from one template), `bodies` (as they are) or `lookups`."""
    if kind == "events":
        return events(**options)
    return bodies(**options) if kind == "bodies" else lookups(**options)


def events(path: str, secret: str, template: str, first: int, count: int, copies: int = 1) -> Iterator[bytes]:
    """`count` signed events with ids of their own, each `copies` times in a row."""
    head, tail = (part.encode() for part in template.split(EVENT_ID))
    made = [
        _post(path, secret, b"%bevt_bench_%012d%b" % (head, number, tail))
        for number in range(first, first + count)
    ]
    return itertools.chain.from_iterable(itertools.repeat(request, copies) for request in made)


def bodies(path: str, secret: str, bodies: Sequence[str]) -> Iterator[bytes]:
    """These very bodies, signed now."""
    return iter([_post(path, secret, body.encode()) for body in bodies])


def lookups(paths: Sequence[str], headers: Sequence[str] = ()) -> Iterator[bytes]:
    """GET these paths, over and over; `headers` are whole lines."""
    lines = "".join(f"{line}\r\n" for line in headers)
    return itertools.cycle(
        [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode() for path in paths]
    )


def _post(path: str, secret: str, body: bytes) -> bytes:
    """A webhook as Stripe delivers it. The signature holds for five minutes."""
    at = int(time.time())
    signature = hmac.digest(secret.encode(), b"%d." % at + body, "sha256").hex()
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nStripe-Signature: t={at},v1={signature}\r\n\r\n"
    ).encode() + body
