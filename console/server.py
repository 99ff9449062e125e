"""Run the access API."""

from __future__ import annotations

import serving.server
from console.app import create_app
from console.store import Store
from settings import ApiSettings
from worker.pages import pages


def serve(settings: ApiSettings) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code, as `serving.server.serve` does.

    PostgreSQL may come later.
    """
    keys = [key.get_secret_value() for key in settings.api_keys]
    app = create_app(Store(settings.database_dsn), keys, zone=settings.timezone, pages=pages(settings))
    return serving.server.serve("api", app, settings.api_host, settings.api_port, settings.metrics_address)
