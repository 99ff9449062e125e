"""Run the page for customers."""

from __future__ import annotations

from datetime import UTC, datetime

import serving.server
from db.session import create_engine
from portal.answers import Merchant
from portal.app import create_app
from portal.door import Door
from portal.forms import Binding
from portal.limits import Limits
from portal.links import Links
from settings import PortalSettings
from worker.brand import brand
from worker.broker import RedisNudge, create_broker
from worker.policy import policy
from worker.services import Services

POOL_SIZE = 8


def serve(settings: PortalSettings) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code, as `serving.server.serve` does.

    PostgreSQL and Redis may come later.
    """
    secrets = [secret.get_secret_value() for secret in settings.link_secrets]
    services = Services(
        engine=create_engine(settings.database_url_sqlalchemy, name="portal", pool_size=POOL_SIZE),
        gateways={},
        policy=policy(settings),
        nudge=RedisNudge(create_broker(settings.redis_url.get_secret_value())),
        clock=_clock,
    )
    merchant = Merchant(
        brand=brand(settings),
        billing_page=settings.billing_page_url,
        zone=settings.timezone.key,
        secure=settings.portal_url.startswith("https:"),
        mail_templates=settings.email_templates,
    )
    app = create_app(
        services,
        Door(services.engine, Links(secrets), services.policy, _clock),
        Binding(secrets, _clock),
        Limits(settings.portal_proxies),
        merchant,
    )
    return serving.server.serve("portal", app, settings.portal_host, settings.portal_port)


def _clock() -> datetime:
    return datetime.now(UTC)
