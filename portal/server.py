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
from portal.offer import offer
from providers.by_source import BySource
from providers.systems import billing_systems, system_of
from settings import PortalSettings
from worker.brand import brand
from worker.broker import QueueNudge, create_broker
from worker.policy import policy
from worker.services import Services


def serve(settings: PortalSettings) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code, as `serving.server.serve` does.

    PostgreSQL and the broker may come later.
    """
    secrets = [secret.get_secret_value() for secret in settings.link_secrets]
    pages = [page for each in billing_systems() for page in each.pages(settings)]
    services = Services(
        engine=create_engine(
            settings.database_url_sqlalchemy,
            name="portal",
            pool_size=settings.portal_pool_size,
            timeouts=settings.session_timeouts,
        ),
        gateways=BySource(lambda source: system_of(source).gateway(source, settings)),
        policy=policy(settings),
        nudge=QueueNudge(create_broker(settings.queue_url)),
        clock=_clock,
        decides=False,
    )
    merchant = Merchant(
        brand=brand(settings),
        billing_page=settings.billing_page_url,
        zone=settings.timezone.key,
        base=settings.portal_url,
        mail_templates=settings.email_templates,
    )
    app = create_app(
        services,
        Door(services.engine, Links(secrets), services.policy, _clock),
        Binding(secrets, _clock),
        Limits(settings.portal_proxies),
        merchant,
        offer(provider=bool(pages)),
        pages,
    )
    return serving.server.serve(
        "portal", app, settings.portal_host, settings.portal_port, settings.metrics_address
    )


def _clock() -> datetime:
    return datetime.now(UTC)
