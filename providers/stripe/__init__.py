"""Stripe: its webhooks, its API, its objects as facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dunning.abilities import EVERYTHING
from providers.door import Door, Header, body_alone, encoded
from providers.system import BillingSystem, Process, Secrets

if TYPE_CHECKING:
    from providers.lookup import Gateway, Normalised
    from providers.mirror import Mirror
    from settings.field import Settings

SOURCE: Final = "stripe"
SECRETS, KEY = "STRIPE_WEBHOOK_SECRETS", "STRIPE_API_KEY"
# Seconds. Somebody waits in front of the page; a charge that is given up on is asked for again by a worker.
PAGE_TIMEOUT = 15.0


class Stripe(BillingSystem):
    """It is asked for what its events leave unsaid, and does whatever a policy wants."""

    families = (SOURCE,)
    abilities = EVERYTHING
    needs: Mapping[str, str] = {SECRETS: KEY}

    def settings(self) -> Mapping[Process, type[Settings]]:
        from providers.stripe.settings import PortalStripe, StripeApi, StripeWebhooks

        return {
            "receiver": StripeWebhooks,
            "worker": StripeApi,
            "portal": PortalStripe,
            "import": StripeApi,
        }

    def doors(self, secrets: Secrets) -> Mapping[str, Door]:
        from providers.stripe import webhook

        known = encoded(secrets.get(SECRETS, ()))
        if not known:
            return {}

        def check(header: Header, body: bytes, now: float) -> None:
            webhook.verify(header(webhook.SIGNATURE_HEADER), body, known, now)

        return {"/webhooks/stripe": Door(SOURCE, check, body_alone(webhook.envelope))}

    def normalise(self, event: Mapping[str, Any]) -> Normalised:
        from providers.stripe.facts import normalise

        return normalise(event)

    def gateway(self, source: str, settings: Settings) -> Gateway | None:
        """A worker without a key lets events wait: Stripe is not to be mistaken for one who cannot be asked.

        Without a key of its own the page for customers asks nobody, and the library is not even loaded.
        """
        from providers.stripe.settings import PortalStripe, StripeApi

        if isinstance(settings, PortalStripe):
            key, timeout = settings.portal_stripe_key, PAGE_TIMEOUT
            if key is None:
                return None
        elif isinstance(settings, StripeApi):
            key, timeout = settings.stripe_api_key, None
            if key is None:
                from providers.keyless import Keyless

                return Keyless(KEY)
        else:
            return None
        from providers.stripe.api import StripeGateway
        from providers.stripe.client import TIMEOUT

        base = settings.stripe_api_base
        return StripeGateway(key.get_secret_value(), api_base=base, timeout=timeout or TIMEOUT)

    def pages(self, settings: Settings) -> Sequence[str]:
        from providers.stripe.settings import PortalStripe

        has = isinstance(settings, PortalStripe) and settings.portal_stripe_key
        return settings.stripe_pages if has and isinstance(settings, PortalStripe) else ()

    def mirrored(self, settings: Settings) -> Sequence[str]:
        from providers.stripe.settings import StripeApi

        return (SOURCE,) if isinstance(settings, StripeApi) and settings.stripe_api_key else ()

    def mirror(self, source: str, settings: Settings, *, by_hand: bool = False) -> Mirror | None:
        from providers.stripe.settings import StripeApi

        if not isinstance(settings, StripeApi):
            return None
        from providers.stripe.mirror import mirror_of

        return mirror_of(settings, source, by_hand=by_hand)


SYSTEM: Final = Stripe()
