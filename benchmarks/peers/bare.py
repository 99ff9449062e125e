"""The ceiling: an ASGI application that reads the body and says yes, whatever it is asked."""

from typing import Any

from benchmarks.peers.serving import serve

_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain"), (b"content-length", b"3")],
}
_BODY = {"type": "http.response.body", "body": b"ok\n"}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer anything with 200."""
    if scope["type"] != "http":  # uvicorn asks for a lifespan, which there is none of
        raise NotImplementedError(scope["type"])
    while (await receive()).get("more_body"):
        pass
    await send(_START)
    await send(_BODY)


if __name__ == "__main__":
    serve(app)
