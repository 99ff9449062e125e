"""A chat's webhook on loopback that keeps what it is told and answers as asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Chat:
    """`url` takes messages; `answers` are the statuses to come, 200 when there are none."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.heard: list[dict[str, Any]] = []
        self.url = ""


@contextmanager
def chat() -> Iterator[Chat]:
    """A running one, on a free port."""
    room = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # named by http.server
            room.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(room.answers.pop(0) if room.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # named by http.server
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        room.url = f"http://127.0.0.1:{server.server_port}/services/T0/B0"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield room
        finally:
            server.shutdown()
            thread.join()
