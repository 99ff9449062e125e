"""A chat that takes Slack-compatible messages on loopback and shows them to nobody."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Chat:
    """The running chat: `url` is where to post, `messages` are the texts so far."""

    def __init__(self) -> None:
        """Describe it; nothing listens yet."""
        self.messages: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.messages))
        self._thread = threading.Thread(target=self._server.serve_forever, name="chat", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/services/demo"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(messages: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            messages.append(str(json.loads(body)["text"]))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  named by http.server
            """Say nothing: stderr belongs to the demo."""

    return Handler


@contextlib.contextmanager
def chat_room() -> Iterator[Chat]:
    """A chat while the block runs."""
    chat = Chat()
    chat.start()
    try:
        yield chat
    finally:
        chat.stop()
