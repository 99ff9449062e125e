"""How every HTTP peer is served: as our own programs are, with uvicorn's fast parts and no access log."""

import os
from typing import Any

import uvicorn


def serve(app: Any) -> None:
    """Serve an ASGI application on the port in PORT until SIGTERM."""
    uvicorn.run(
        app,
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
    )
