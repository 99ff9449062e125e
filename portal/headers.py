"""What goes with every answer: nobody may frame the page, keep it, index it, or learn of its address."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST")


def policy(logo_url: str | None, form_targets: Collection[str]) -> str:
    """The Content-Security-Policy. Browsers hold a form's redirects to `form_targets` (origins) too."""
    images = " ".join(["'self'", *([origin(logo_url)] if logo_url else [])])
    forms = " ".join(["'self'", *form_targets])
    return (
        f"default-src 'none'; style-src 'self'; img-src {images}; form-action {forms}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


def origin(url: str) -> str:
    """`https://acme.example` of `https://acme.example/logo.png`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Guarded:
    """ASGI middleware around everything, errors included: the headers, and no other methods."""

    def __init__(self, app: ASGIApp, *, logo_url: str | None, form_targets: Collection[str] = ()) -> None:
        self._app = app
        self._headers = {
            "content-security-policy": policy(logo_url, form_targets),
            "referrer-policy": "no-referrer",
            "x-robots-tag": "noindex, nofollow",
            "x-content-type-options": "nosniff",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
            "cache-control": "no-store",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        app = self._app
        if scope["method"] not in METHODS:
            app = PlainTextResponse("Method Not Allowed\n", 405, {"allow": ", ".join(METHODS)})
        await app(scope, receive, send_guarded)
