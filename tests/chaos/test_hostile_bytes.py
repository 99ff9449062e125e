"""F18 on the wire: bytes that are hardly HTTP, to each server as it runs; it refuses them and goes on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from serving.protocol import MAX_HEAD
from settings.urls import for_asyncpg
from tests.chaos.conftest import Tell
from tests.console.process import ApiProcess
from tests.portal.process import PortalProcess
from tests.webhooks.process import ReceiverProcess
from webhooks.config import ReceiverConfig

KEY = "test-key-0123456789abcdef"
# Seconds in which a server may say something to bytes that end nothing.
PATIENCE = 0.15
HOST = b"Host: x\r\n"
GET, POST = b"GET /healthz HTTP/1.1\r\n" + HOST, b"POST /webhooks/stripe HTTP/1.1\r\n" + HOST
ATTACKS = {
    "a head without end": GET + b"X-Long: " + b"x" * (MAX_HEAD + 1),
    "headers without end": GET + b"X-Short: x\r\n" * (MAX_HEAD // 12 + 1),
    "bytes that are no text": b"GET /\xff\xfe\xc3\x28 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header that is no text": GET + b"Authorization: Bearer \xff\xfe\r\nCookie: \xf0\x9f\x92\xb3\r\n\r\n",
    "a NUL": GET + b"X-Nul: a\x00b\r\n\r\n",
    "a line within a header": GET + b"X-Fold: a\r\n b\r\n\r\n",
    "a bare line feed": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "a bare carriage return": GET + b"X-Cr: a\rSet-Cookie: b\r\n\r\n",
    "a space before the colon": GET + b"Content-Length : 5\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: evil.example\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    "a length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /",
    "chunks twice over": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks of another kind": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a chunk without end": POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
    "a chunk of minus one": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
    "a chunk that is longer than said": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabcdef\r\n0\r\n\r\n",
    "an endless extension of a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 100_000,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a length that is no number": POST + b"Content-Length: 0x10\r\n\r\n0123456789abcdef",
    "a length beyond all": POST + b"Content-Length: 99999999999999999999999\r\n\r\nx",
    "a mebibyte": POST + b"Content-Length: 1048577\r\n\r\n",
    "less than was said": POST + b"Content-Length: 10\r\n\r\nx",
    "another request behind it": POST + b"Content-Length: 0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "a version to come": b"GET /healthz HTTP/9.9\r\n" + HOST + b"\r\n",
    "HTTP/2 from the start": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an upgrade": GET + b"Upgrade: h2c\r\nConnection: Upgrade\r\nHTTP2-Settings: AAAA\r\n\r\n",
    "a web socket": GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "a proxy's request": b"GET http://169.254.169.254/latest/meta-data HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT 127.0.0.1:5432 HTTP/1.1\r\n" + HOST + b"\r\n",
    "all that there is": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path out of the house": b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n",
    "waiting to be asked for more": POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    "nothing but line feeds": b"\r\n" * 5_000,
    "nothing that is anything": bytes(range(256)) * 8,
}


def said(port: int, sent: bytes) -> list[int]:
    """The statuses of whatever a server answers, until it closes or has nothing more to say."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(sent)
            while more := connection.recv(65536):
                answer += more
        except OSError:
            pass  # it has hung up, or waits for the rest
    lines = [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")]
    return [int(line.split()[1]) for line in lines]


@pytest.fixture
def servers(database_url: str, redis_url: str) -> Iterator[dict[str, Any]]:
    """One of each, as they run in production."""
    receiver = ReceiverConfig(
        database_dsn=for_asyncpg(database_url),
        queue_url=redis_url,
        secrets={"STRIPE_WEBHOOK_SECRETS": ("whsec_test",)},
        livemode=False,
        host="127.0.0.1",
        port=0,
        log_format="json",
    )
    started: dict[str, Any] = {
        "receiver": ReceiverProcess.serve(receiver),
        "api": ApiProcess(database_url, [KEY]),
        "portal": PortalProcess(database_url, redis_url),
    }
    yield started
    for server in started.values():
        server.stop()


def test_no_bytes_break_a_server(servers: dict[str, Any], tell: Tell) -> None:
    """No 5xx, no error in a log, nothing of the bytes in it; and it goes on answering others."""
    for door, server in servers.items():
        with ThreadPoolExecutor(8) as several:
            heard = several.map(partial(said, server.port), ATTACKS.values())
            statuses = dict(zip(ATTACKS, heard, strict=True))
        broken = {name: found for name, found in statuses.items() if any(status >= 500 for status in found)}
        alive = server.client.get("/healthz").status_code
        server.stop()
        wrong = [line for line in server.log if line.get("level") in ("error", "critical")]
        tell(
            "F18", door=f"{door}, on the wire", attacks=len(ATTACKS), faults_of_ours=len(broken) + len(wrong)
        )
        assert (broken, wrong, alive) == ({}, [], 200), door
        assert "169.254.169.254" not in str(server.log)
        # Whatever could be two requests to somebody else is none here.
        for name in ("two lengths", "a length and chunks", "a head without end", "headers without end"):
            assert statuses[name] == [400], name
