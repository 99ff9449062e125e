"""Run the API."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import serving.server
from console.app import create_app
from console.headers import AsData
from console.keyring import Keyring
from console.store import Store
from console.team.operations import team_operations
from console.team.services import Team
from db.session import create_engine
from settings import ApiSettings
from worker.pages import pages
from worker.policy import policy

# Seconds. Pages of cases are thought through in threads, and by default one of them keeps the others waiting
# for 5 ms at each turn: answers about access, which take one, would take nine.
TURN = 0.0005


def serve(settings: ApiSettings) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code, as `serving.server.serve` does.

    PostgreSQL may come later.
    """
    sys.setswitchinterval(TURN)
    store = Store(settings.database_dsn, settings.api_pool_size)
    team = Team(
        create_engine(
            settings.database_url_sqlalchemy,
            name="api",
            pool_size=settings.api_team_pool_size,
            timeouts=settings.session_timeouts,
        ),
        policy(settings),
        settings.timezone,
        lambda: datetime.now(UTC),
    )
    keyring = Keyring(
        [key.get_secret_value() for key in settings.api_keys or ()], store.good_keys, team.use_key
    )
    app = create_app(
        store,
        keyring,
        team_operations(team),
        zone=settings.timezone,
        pages=pages(settings),
        closing=team.engine.dispose,
    )
    return serving.server.serve(
        "api", AsData(app), settings.api_host, settings.api_port, settings.metrics_address
    )
