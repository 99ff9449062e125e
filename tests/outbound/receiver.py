"""A merchant's endpoint on loopback: verifies with the public library, and fails, hangs and lies as asked."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

CERTIFICATE = Path(__file__).parents[1] / "emails" / "test_mail_server.pem"
"""Valid for localhost and 127.0.0.1."""
HANG = "hang"
ENDLESS = "endless"
DRIP = "drip"
CUT = "cut"
GARBAGE = "garbage"
SILENT = "silent"
Behaviour = int | str | tuple[int, str]


class Receiver:
    """`url` takes events signed with `secret`; `answers` are the next ones, 200 when there are none.

    An answer is a status, a status with one more header line, or one of the misdeeds above. `heard` are the
    verified events with their ids, `refused` how many were not genuine.
    """

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.answers: deque[Behaviour] = deque()
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.requests = 0
        self.refused = 0
        self.port = 0
        self.scheme = "http"
        self.on_request: Callable[[], Awaitable[None]] | None = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hooks?shop=1"

    def types(self) -> list[str]:
        """What was heard, by the order numbers: what is sent at the same time arrives in any order."""
        events = sorted((event for _, event in self.heard), key=lambda event: event["data"]["sequence"])
        return [event["type"] for event in events]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
        }
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests += 1
        self.headers.append(headers | {"request": head[0]})
        if self.on_request:
            await self.on_request()
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            self.refused += 1
            await _say(writer, "401 Unauthorized")
            return
        behaviour = self.answers.popleft() if self.answers else 200
        if behaviour in (200, ENDLESS, DRIP, CUT):
            self.heard.append((headers["webhook-id"], json.loads(body)))
        await _behave(writer, behaviour)


async def _behave(writer: asyncio.StreamWriter, behaviour: Behaviour) -> None:
    if isinstance(behaviour, int):
        await _say(writer, f"{behaviour} Whatever")
    elif isinstance(behaviour, tuple):
        await _say(writer, f"{behaviour[0]} Whatever\r\n{behaviour[1]}")
    elif behaviour == HANG:
        await asyncio.sleep(60)
    elif behaviour == GARBAGE:
        writer.write(b"\x00\x01 nothing like HTTP\r\n\r\n")
        await writer.drain()
    elif behaviour != SILENT:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1000000000\r\n\r\nok")
        await writer.drain()
        while behaviour != CUT:
            writer.write(b"x" * (65_536 if behaviour == ENDLESS else 1))
            await writer.drain()
            await asyncio.sleep(0.05 if behaviour == DRIP else 0)


async def _say(writer: asyncio.StreamWriter, status: str) -> None:
    writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())
    await writer.drain()


@contextmanager
def receiver(secret: str, *, tls: bool = False) -> Iterator[Receiver]:
    """A running one on a free port, in a thread of its own."""
    one = Receiver(secret)
    context = None
    if tls:
        one.scheme = "https"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(one.answer, "127.0.0.1", 0, ssl=context)

    server = loop.run_until_complete(start())
    one.port = server.sockets[0].getsockname()[1]
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield one
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
