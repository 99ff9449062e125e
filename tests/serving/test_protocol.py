"""What a server of ours does with clients that send slowly, or more than anybody reads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from serving.protocol import MAX_HEAD, limited
from tests.webhooks.process import wait_until

LIMIT = 0.2  # seconds
left: list[str] = []


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a body and says how long it was, or remembers that somebody has left."""
    request = Request(scope, receive)
    try:
        answer = PlainTextResponse(f"{len(await request.body())} bytes")
    except ClientDisconnect:
        left.append(request.url.path)
        return
    await answer(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the application is served, in a thread of its own."""
    protocol = limited(LIMIT, LIMIT)
    config = uvicorn.Config(application, http=protocol, lifespan="off", ws="none", log_config=None, port=0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, "a start")
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def talk(port: int, *parts: bytes) -> bytes:
    """Everything that is answered to these bytes, until the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        said = b""
        while more := connection.recv(65536):
            said += more
        return said


HEAD = b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"


def test_whoever_is_quick_enough_is_answered(port: int) -> None:
    """The time of one request does not count for the next on the same connection."""
    said = talk(port, HEAD + b"\r\nbody", HEAD + b"Connection: close\r\n\r\nbody")
    assert said.count(b"4 bytes") == 2


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"\r\n", HEAD + b"\r\nbod"])
def test_whoever_is_slow_is_let_go(port: int, sent: bytes) -> None:
    """Without a byte, in the middle of the head, and in the middle of the body."""
    assert talk(port, sent) == b""
    if b"\r\n\r\n" in sent:
        wait_until(lambda: left, "the application to be told")
        assert left.pop() == "/slow"


def test_endless_headers_are_cut_off(port: int) -> None:
    """In one long header, and in many."""
    for headers in (b"X-Long: " + b"x" * MAX_HEAD, b"X-Short: x\r\n" * (MAX_HEAD // 12 + 1)):
        assert talk(port, b"GET / HTTP/1.1\r\nHost: x\r\n", headers).startswith(b"HTTP/1.1 400 ")
