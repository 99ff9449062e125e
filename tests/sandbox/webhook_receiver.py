"""A webhook endpoint of the tests' own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Backlogged(ThreadingHTTPServer):
    """Room for a burst: with the usual five waiting connections the kernel lets clients wait a second."""

    request_queue_size = 128


class Receiver:
    """A webhook endpoint that answers with the given statuses first and with 200 after them."""

    def __init__(self, *statuses: int) -> None:
        self.received: list[tuple[bytes, str]] = []
        self._statuses = list(statuses)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((body, self.headers["Stripe-Signature"]))
                self.send_response(receiver._statuses.pop(0) if receiver._statuses else 200)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  overridden
                """Keep the tests' output clean."""

        self._server = Backlogged(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhooks/stripe"

    @property
    def bodies(self) -> list[bytes]:
        return [body for body, _ in self.received]

    @property
    def signatures(self) -> list[str]:
        return [signature for _, signature in self.received]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    @contextmanager
    def listening(self) -> Iterator["Receiver"]:
        thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()
