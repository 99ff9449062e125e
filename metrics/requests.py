"""Measure the answers of an ASGI application, by the function that gave them."""

from __future__ import annotations

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metrics.instruments import request_seconds


class Measured:
    """The application, measured. A path is never a label: it holds ids."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and note how long it took."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        began = perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            took = perf_counter() - began
            request_seconds.labels(_endpoint(scope), f"{status // 100}xx").observe(took)


def _endpoint(scope: Scope) -> str:
    """The router leaves it in the scope; nobody answers for a path that does not exist."""
    return getattr(scope.get("endpoint"), "__name__", "none")
