"""One keep-alive HTTP/1.1 connection, as bare as it can be: bytes out, a status in."""

import asyncio
import re
from collections.abc import Callable
from time import monotonic
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_STATUS = slice(9, 12)  # of b"HTTP/1.1 200 OK"


class Connection(asyncio.Protocol):
    """Sends one request at a time and hands on each answer: (connection, status, sent at, answered at).

    Times are seconds of the monotonic clock, which all processes of a machine share. Understands answers
    with a Content-Length only; anything else ends the connection with an error.
    """

    def __init__(self, answered: Callable[["Connection", int, float, float], None]) -> None:
        self._answered = answered
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.closed = False
        self.error = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to send."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own has not got the class

    def send(self, request: bytes) -> None:
        """Send a whole request; the answer to the one before must have come."""
        assert self._transport is not None  # noqa: S101 -- nobody has this object before it is connected
        self._sent_at = monotonic()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Most answers come in one piece."""
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, end + 2)
        if length is None:
            self._fail("an answer without a Content-Length")
        elif len(self._buffer) >= end + 4 + int(length[1]):
            status, self._buffer = int(self._buffer[_STATUS]), b""
            self._answered(self, status, self._sent_at, monotonic())

    def connection_lost(self, exc: Exception | None) -> None:
        """Whether that was wanted is for the owner to say."""
        self.closed = True
        self.error = self.error or (type(exc).__name__ if exc else "closed by the server")

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _fail(self, why: str) -> None:
        self.error = why
        self.close()
