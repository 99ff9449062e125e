"""uvicorn's HTTP protocol with limits on how a request arrives, for which uvicorn has none.

Without them a client that sends slowly, or never stops sending headers, holds a connection or memory for as
long as it likes. How large a body may be is the application's to say.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024  # bytes of request line and headers


class Protocol(HttpToolsProtocol):
    """One connection."""

    head_limit: float
    """Seconds from the connection, or from a later request's first byte, to the end of its headers."""
    body_limit: float | None
    """Seconds from there to the end of the body; None: the application looks after that itself."""
    _head_timer: asyncio.TimerHandle | None = None
    _body_timer: asyncio.TimerHandle | None = None
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Expect the first request."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._head_is_over()
        self._body_is_over()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then look whether the head is still not over though it should be."""
        self._received += len(data)
        super().data_received(data)
        if self._head_timer and self._received > MAX_HEAD and not self.transport.is_closing():
            self._head_is_over()
            self.send_400_response("Headers too large.")

    def on_message_begin(self) -> None:
        """A request starts: the first one's time runs since the connection was made."""
        super().on_message_begin()
        if not self._head_timer:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """From here on the application's limits count, and the body's time."""
        self._head_is_over()
        if self.body_limit is not None:
            self._body_timer = self.loop.call_later(self.body_limit, self.transport.close)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of the body is there."""
        self._body_is_over()
        super().on_message_complete()

    def _expect_head(self) -> None:
        self._received = 0
        self._head_timer = self.loop.call_later(self.head_limit, self.transport.close)

    def _head_is_over(self) -> None:
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None

    def _body_is_over(self) -> None:
        if self._body_timer:
            self._body_timer.cancel()
            self._body_timer = None


def limited(head_limit: float, body_limit: float | None = None) -> type[Protocol]:
    """The protocol with these limits; uvicorn wants a class, which it instantiates itself."""
    return type("Protocol", (Protocol,), {"head_limit": head_limit, "body_limit": body_limit})
