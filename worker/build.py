"""A worker's parts, built from its settings. Only entry points call this."""

from __future__ import annotations

from db.session import create_engine
from emails.check import check_templates
from emails.faults import TemplateFaultsError
from emails.services import templates
from emails.smtp import SmtpTransport
from outbound.addresses import Rules
from outbound.channels import is_known
from outbound.post import Poster
from providers.mail.services import readers
from providers.pacing import Pace
from providers.stripe import SOURCE as STRIPE
from providers.stripe.api import StripeGateway
from providers.stripe.listing import PacedApi
from providers.stripe.mirror import StripeMirror
from settings import Problem, SettingsError, WorkerSettings
from worker.brand import brand
from worker.breaker import limits
from worker.courier import Courier, Sender
from worker.endpoints import endpoints_of
from worker.informants import informants
from worker.pages import pages
from worker.policy import policy
from worker.services import Nudge, Services
from worker.usecases.reconcile import Reconciling

# Reads a second. Stripe allows 100 in live mode and 25 in a sandbox.
RECONCILED_AT = 5.0
# Seconds between the tries of one question.
RESTS = (1.0, 2.0, 4.0)
# Seconds: a page of a hundred subscriptions with their customers takes longer than a single object.
A_PAGE_WITHIN = 40.0


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
        gateways={
            STRIPE: StripeGateway(
                settings.stripe_api_key.get_secret_value(), api_base=settings.stripe_api_base
            )
        },
        policy=policy(settings),
        nudge=nudge,
        team_channels=settings.ways_to_the_team,
        limits=limits(settings),
        pages=settings.portal_url is not None,
        mail_services=readers(settings.ses_topics or ()),
        stopped_at_past_due=frozenset(settings.stopped_at_past_due),
        on_test_clocks=frozenset(settings.test_clocks),
        informants=informants(settings, poster(settings)),
    )


def reconciling(settings: WorkerSettings, services: Services) -> Reconciling:
    """Slowly, and soon tired: other work asks Stripe as well, and what is not done now is done later."""
    api = PacedApi(
        settings.stripe_api_key.get_secret_value(),
        Pace(RECONCILED_AT, rests=RESTS),
        api_base=settings.stripe_api_base,
        timeout=A_PAGE_WITHIN,
    )
    return Reconciling(services, StripeMirror(api, livemode=settings.livemode), settings.timezone)


def poster(settings: WorkerSettings) -> Poster:
    """By http:// in test mode only, and there only to networks of one's own."""
    return Poster(Rules(private=settings.webhook_private_addresses, plain=not settings.livemode))


def courier(settings: WorkerSettings) -> Courier:
    chat = settings.team_webhook_url
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
            headers=templates(settings.mail_service, settings.smtp_headers),
        ),
        transport=SmtpTransport(settings.smtp_url.get_secret_value()),
        chat_url=chat.get_secret_value() if chat else None,
        channels=settings.channels_by_name,
    )
