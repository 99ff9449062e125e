"""A simulated Commet that listens on loopback, in a thread of its own."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from threading import Event as Signal
from threading import Thread

import uvicorn
from starlette.applications import Starlette

from sandbox.commet.api import CommetApi
from sandbox.commet.books import CommetBooks
from sandbox.commet.delivery import CommetEndpoint, Post
from sandbox.commet.objects import Json

# Seconds until a start or a stop that hangs is an error.
PATIENCE = 10.0
API_KEY = "ck_sandbox_simulated"
SECRET = "whsec_test"  # noqa: S105  signs simulated events only


class SimulatedCommet:
    """Books, API and webhooks of one organization. Drive it by `books`; `endpoint` hears of it."""

    api_key = API_KEY

    def __init__(self, now: datetime) -> None:
        self.books = CommetBooks(now, self._tell)
        self.api = CommetApi(self.books, self.api_key)
        self.endpoint: CommetEndpoint | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._ready = Signal()
        app = Starlette(routes=self.api.routes(), lifespan=self._lifespan)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(
            target=self._server.run, args=([self._socket],), name="simulated-commet", daemon=True
        )

    def send_to(self, post: Post, secret: str = SECRET) -> CommetEndpoint:
        """Tell of everything from now on; `sandbox.commet.post_to(url)` does it by HTTP."""
        self.endpoint = CommetEndpoint(post, secret)
        return self.endpoint

    def clear(self) -> None:
        """As if nothing had happened yet: no customers, no webhook, no requests."""
        self.books.clear()
        self.api.clear()
        self.endpoint = None

    def _tell(self, event: Json) -> None:
        if self.endpoint:
            self.endpoint.deliver(event)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._ready.set()
        yield

    def start(self) -> None:
        """Serve; raises RuntimeError when that does not come about."""
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise RuntimeError("the simulated Commet did not start")

    def stop(self) -> None:
        """Stop serving; raises RuntimeError when the thread does not end."""
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise RuntimeError("the simulated Commet did not stop")


@contextmanager
def simulated_commet(now: datetime) -> Iterator[SimulatedCommet]:
    """A running simulation on a free port of loopback."""
    simulation = SimulatedCommet(now)
    simulation.start()
    try:
        yield simulation
    finally:
        simulation.stop()
