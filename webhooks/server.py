"""Run the receiver: one process, one event loop, a clean stop."""

import asyncio
import gc
import socket
from contextlib import ExitStack
from types import FrameType

import uvicorn

from serving.protocol import limited
from serving.watchdog import Watchdog
from tracing import spans
from webhooks.app import Receiver
from webhooks.config import ReceiverConfig
from webhooks.log import Log, route_libraries

BACKLOG = 1024
MAX_CONNECTIONS = 1_000  # each may hold one body in memory; more are answered 503
KEEP_ALIVE = 75  # seconds; longer than proxies keep theirs (60), so that they never reuse a closed one
STOP_LIMIT = 12  # seconds for requests in flight: the body's limit and the commit's
REPORT_EVERY = 60.0  # seconds between two lines with the counters


class Server(uvicorn.Server):
    """uvicorn, with our receiver's start and stop around it."""

    def __init__(self, config: ReceiverConfig, receiver: Receiver, log: Log) -> None:
        """Nothing is started yet."""
        super().__init__(
            uvicorn.Config(
                receiver,
                loop="uvloop",
                http=limited(config.read_limit),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=STOP_LIMIT,
            )
        )
        self._receiver = receiver
        self._log = log
        self._reporter: asyncio.Task[None] | None = None
        self._watchdog = Watchdog("receiver", log.error)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then start the receiver, which loads more, then say where."""
        await super().startup(sockets)
        self._watchdog.start()
        self._reporter = asyncio.create_task(self._report())
        # What is loaded now stays for good: the collector need not walk it in the middle of a request, nor
        # while it was loaded.
        gc.freeze()
        gc.enable()
        self._receiver.start()
        for event, listener in zip(("receiver.started", "metrics.started"), sockets or [], strict=False):
            host, port = listener.getsockname()[:2]
            self._log.info(event, host=host, port=port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the requests in flight, then stop the receiver."""
        self._log.info("receiver.stopping")
        await super().shutdown(sockets)
        if self._reporter:
            self._reporter.cancel()
        await self._receiver.close()
        self._log.info("receiver.stopped", **self._receiver.figures())

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        self._watchdog.beat()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops cleanly, a second one of either kind at once."""
        self._watchdog.stopping()
        self.force_exit = self.should_exit
        self.should_exit = True

    async def _report(self) -> None:
        said = self._receiver.figures()
        while True:
            await asyncio.sleep(REPORT_EVERY)
            if (now := self._receiver.figures()) != said:
                self._log.info("receiver.counters", **now)
                said = now


def serve(config: ReceiverConfig) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code: 0 after a clean stop, 1 otherwise.

    Logs `receiver.started` with the bound port once requests are taken. PostgreSQL and Redis may come later.
    """
    log = Log(config.log_format, config.log_level)
    route_libraries(log)
    try:
        listener = _listen(config.host, config.port)
    except OSError as error:
        log.error("receiver.cannot_listen", host=config.host, port=config.port, reason=error.strerror)
        return 1
    receiver = Receiver(config, log)
    server = Server(config, receiver, log)
    with listener, ExitStack() as also:
        sockets = [listener]
        if beside := _listen_beside(config, log):
            sockets.append(also.enter_context(beside))
            receiver.metrics_port = beside.getsockname()[1]
        spans.start("receiver", config.traces_url)
        server.run(sockets=sockets)
        spans.stop()
    return 1 if server.force_exit else 0


def _listen_beside(config: ReceiverConfig, log: Log) -> socket.socket | None:
    """Where metrics are told, if they are wanted. Without a port for them events are taken all the same."""
    if config.metrics_port is None:
        return None
    try:
        return _listen(config.metrics_host, config.metrics_port)
    except OSError as error:
        log.error(
            "metrics.cannot_listen", host=config.metrics_host, port=config.metrics_port, reason=error.strerror
        )
        return None


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that port 0 is known before anything is started."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(address, family=family, backlog=BACKLOG)
