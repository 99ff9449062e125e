"""Run an ASGI application: one process, one event loop, a clean stop. What our HTTP servers share."""

from __future__ import annotations

import socket
from types import FrameType

import structlog
import uvicorn
from starlette.types import ASGIApp

from serving.protocol import limited
from serving.watchdog import Watchdog

log = structlog.get_logger()

BACKLOG = 1024
MAX_CONNECTIONS = 1_000  # more are answered 503
READ_LIMIT = 10.0  # seconds a client may take for a request's headers, and again for its body
KEEP_ALIVE = 75  # seconds; longer than proxies keep theirs (60), so that they never reuse a closed one
STOP_LIMIT = 5  # seconds for requests in flight; each has its own limit, which is shorter


class Server(uvicorn.Server):
    """uvicorn, which exits by the signal it was stopped with, made to exit with a code instead."""

    def __init__(self, name: str, config: uvicorn.Config) -> None:
        """`name` stands before the dot of its log events."""
        super().__init__(config)
        self._name = name
        self._watchdog = Watchdog(name, log.critical)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say where."""
        await super().startup(sockets)
        self._watchdog.start()
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            log.info(f"{self._name}.started", host=host, port=port)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        self._watchdog.beat()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops cleanly, a second one of either kind at once."""
        self._watchdog.stopping()
        self.force_exit = self.should_exit
        self.should_exit = True


def serve(name: str, app: ASGIApp, host: str, port: int, metrics: tuple[str, int] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code: 0 after a clean stop, 1 otherwise.

    With `metrics`, a host and a port, answers are measured, and that is told there. Logs `<name>.started`
    with the bound port once requests are taken, and no line a request: those hold paths and addresses.
    """
    try:
        listener = _listen(host, port)
    except OSError as error:
        log.error(f"{name}.cannot_listen", host=host, port=port, reason=error.strerror)
        return 1
    if metrics:
        from metrics.listener import listen
        from metrics.requests import Measured

        listen(name, metrics)
        app = Measured(app)
    server = Server(
        name,
        uvicorn.Config(
            app,
            loop="uvloop",
            http=limited(READ_LIMIT, READ_LIMIT),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=STOP_LIMIT,
        ),
    )
    with listener:
        server.run(sockets=[listener])
    log.info(f"{name}.stopped")
    return 1 if server.force_exit or not server.started else 0


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that port 0 is known before anything is started."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(address, family=family, backlog=BACKLOG)
