"""Run the access API: one process, one event loop, a clean stop."""

from __future__ import annotations

import socket
from types import FrameType

import structlog
import uvicorn

from console.app import create_app
from console.store import Store
from settings import ApiSettings

log = structlog.get_logger()

BACKLOG = 1024
KEEP_ALIVE = 75  # seconds; longer than proxies keep theirs (60), so that they never reuse a closed one
STOP_LIMIT = 5  # seconds for requests in flight; each has its own limit, which is shorter


class Server(uvicorn.Server):
    """uvicorn, which exits by the signal it was stopped with, made to exit with a code instead."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say where."""
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            log.info("api.started", host=host, port=port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops cleanly, a second one of either kind at once."""
        self.force_exit = self.should_exit
        self.should_exit = True


def serve(settings: ApiSettings) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code: 0 after a clean stop, 1 otherwise.

    Logs `api.started` with the bound port once requests are taken. PostgreSQL may come later.
    """
    try:
        listener = _listen(settings.api_host, settings.api_port)
    except OSError as error:
        log.error("api.cannot_listen", host=settings.api_host, port=settings.api_port, reason=error.strerror)
        return 1
    keys = [key.get_secret_value() for key in settings.api_keys]
    server = Server(
        uvicorn.Config(
            create_app(Store(settings.database_dsn), keys, zone=settings.timezone),
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=STOP_LIMIT,
        )
    )
    with listener:
        server.run(sockets=[listener])
    log.info("api.stopped")
    return 1 if server.force_exit or not server.started else 0


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that port 0 is known before anything is started."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(address, family=family, backlog=BACKLOG)
