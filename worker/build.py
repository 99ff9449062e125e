"""A worker's parts, built from its settings. Only entry points call this."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from db.session import create_engine
from emails.check import check_templates
from emails.faults import TemplateFaultsError
from emails.services import templates
from emails.smtp_lines import SmtpLines
from outbound.addresses import Rules
from outbound.channels import is_known
from outbound.post import Poster
from providers.by_source import BySource
from providers.mail.services import readers
from providers.mail.settings import MailService
from providers.systems import billing_systems, system_of
from settings import Problem, SettingsError, WorkerSettings
from worker.brand import brand
from worker.breaker import limits
from worker.courier import Courier, Sender
from worker.endpoints import endpoints_of
from worker.pages import pages
from worker.policy import policy
from worker.services import Nudge, Services
from worker.usecases.reconcile import Reconciling


def check(settings: WorkerSettings) -> None:
    """What is wrong beyond single values is told before the first message: policy file, own
    templates, endpoints, the team's channels.

    Takes some seconds where there are templates to try. Raises SettingsError.
    """
    policy(settings)
    endpoints_of(settings)
    _check_channels(settings)
    if settings.email_templates:
        try:
            check_templates(settings.email_templates, brand(settings))
        except TemplateFaultsError as error:
            cure = "`dunning emails check` tries them out."
            problems = [
                Problem("DUNNING_EMAIL_TEMPLATES", f"has a fault: {fault}", cure) for fault in error.faults
            ]
            raise SettingsError(tuple(problems)) from None


def _check_channels(settings: WorkerSettings) -> None:
    unknown = [name for name, url in settings.channels_by_name.items() if not is_known(url)]
    if unknown:
        why = f"has URLs that Apprise does not know, or that lack something: {', '.join(unknown)}."
        cure = "docs/team.md shows how they are written."
        raise SettingsError((Problem("DUNNING_TEAM_CHANNELS", why, cure),))


def services(settings: WorkerSettings, nudge: Nudge) -> Services:
    """Call it on the event loop that will use it: the engine belongs to that loop."""
    return Services(
        engine=create_engine(
            settings.database_url_sqlalchemy,
            name="worker",
            pool_size=settings.worker_threads,
            timeouts=settings.session_timeouts,
        ),
        gateways=BySource(lambda source: system_of(source).gateway(source, settings)),
        policy=policy(settings),
        nudge=nudge,
        team_channels=settings.ways_to_the_team,
        limits=limits(settings),
        pages=settings.portal_url is not None,
        mail_services=readers(_service(settings).ses_topics or ()),
        stopped_at_past_due=frozenset(settings.stopped_at_past_due),
        on_test_clocks=frozenset(settings.test_clocks),
        informants=BySource(lambda source: system_of(source).informant(source, settings)),
    )


def reconciling(settings: WorkerSettings, services: Services) -> Mapping[str, Reconciling]:
    """By source; none where there is nobody to reconcile with."""

    def tools(source: str) -> Reconciling | None:
        mirror = system_of(source).mirror(source, settings)
        return Reconciling(services, mirror, settings.timezone) if mirror else None

    return BySource(tools)


def mirrored(settings: WorkerSettings) -> list[str]:
    """The sources that are reconciled with regularly."""
    return [source for each in billing_systems() for source in each.mirrored(settings)]


def poster(settings: WorkerSettings) -> Poster:
    """By http:// in test mode only, and there only to networks of one's own."""
    return Poster(Rules(private=settings.webhook_private_addresses, plain=not settings.livemode))


def _service(settings: WorkerSettings) -> MailService:
    """The same settings, as the package of the mail services declares them."""
    assert isinstance(settings, MailService)  # noqa: S101  # `settings.systems` has seen to it; tells mypy
    return settings


def courier(settings: WorkerSettings) -> Courier:
    chat, service = settings.team_webhook_url, _service(settings)
    return Courier(
        sender=Sender(
            address=settings.mail_from,
            reply_to=settings.mail_reply_to or settings.brand_support_email,
            domain=settings.mail_domain,
            brand=brand(settings),
            timezone=settings.timezone,
            livemode=settings.livemode,
            billing_page_url=settings.billing_page_url,
            team_address=settings.team_email,
            templates=settings.email_templates,
            pages=pages(settings),
            headers=templates(service.mail_service, service.smtp_headers),
        ),
        transport=SmtpLines(settings.smtp_url.get_secret_value(), settings.smtp_connections),
        turns=asyncio.Semaphore(settings.smtp_connections),
        chat_url=chat.get_secret_value() if chat else None,
        channels=settings.channels_by_name,
    )
