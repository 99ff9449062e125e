"""Stripe: its webhooks, its API, its objects as facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dunning.abilities import EVERYTHING
from providers.door import Check, Door, Header, body_alone, encoded
from providers.stripe.accounts import CONNECT, MAIN, by_source, connected_of
from providers.system import BillingSystem, Process, Secrets

if TYPE_CHECKING:
    from providers.lookup import Gateway, Normalised
    from providers.mirror import Mirror
    from settings.field import Settings

SOURCE: Final = MAIN
SECRETS, KEY = "STRIPE_WEBHOOK_SECRETS", "STRIPE_API_KEY"
CONNECT_SECRETS = "STRIPE_CONNECT_WEBHOOK_SECRETS"
ACCOUNT_SECRETS, ACCOUNT_KEYS = "STRIPE_ACCOUNT_WEBHOOK_SECRETS", "STRIPE_ACCOUNTS"
PATH = "/webhooks/stripe"
DASHBOARD = "https://dashboard.stripe.com"
# Seconds. Somebody waits in front of the page; a charge that is given up on is asked for again by a worker.
PAGE_TIMEOUT = 15.0


class Stripe(BillingSystem):
    """It is asked for what its events leave unsaid, and does whatever a policy wants."""

    families = (SOURCE,)
    abilities = EVERYTHING
    needs: Mapping[str, str] = {SECRETS: KEY, CONNECT_SECRETS: KEY, ACCOUNT_SECRETS: ACCOUNT_KEYS}

    def settings(self) -> Mapping[Process, type[Settings]]:
        from providers.stripe.settings import PortalStripe, StripeApi, StripeWebhooks

        return {
            "receiver": StripeWebhooks,
            "worker": StripeApi,
            "portal": PortalStripe,
            "import": StripeApi,
        }

    def doors(self, secrets: Secrets) -> Mapping[str, Door]:
        """One for each account: an event at another's, or signed by another's secret, is not taken in."""
        from providers.stripe import webhook

        found = {}
        for source, known in by_source(secrets.get(ACCOUNT_SECRETS, ())).items():
            path = f"{PATH}/{source.partition(':')[2]}"
            found[path] = Door(source, _signed_with(known), body_alone(webhook.envelope))
        if known := list(secrets.get(SECRETS, ())):
            found[PATH] = Door(SOURCE, _signed_with(known), body_alone(webhook.envelope))
        if known := list(secrets.get(CONNECT_SECRETS, ())):
            read = body_alone(webhook.connect_envelope)
            found[f"{PATH}/{CONNECT}"] = Door(SOURCE, _signed_with(known), read)
        return found

    def normalise(self, event: Mapping[str, Any]) -> Normalised:
        from providers.stripe.facts import normalise

        return normalise(event)

    def gateway(self, source: str, settings: Settings) -> Gateway | None:
        """A worker without a key lets events wait: Stripe is not to be mistaken for one who cannot be asked.

        Without a key of its own the page for customers asks nobody, and the library is not even loaded.
        """
        from providers.stripe.settings import PortalStripe, StripeApi

        if isinstance(settings, PortalStripe):
            key, timeout = settings.portal_key_of(source), PAGE_TIMEOUT
            if key is None:
                return None
        elif isinstance(settings, StripeApi):
            key, timeout = settings.api_key_of(source), None
            if key is None:
                from providers.keyless import Keyless

                # That of the platform serves its connected accounts, too.
                return Keyless(KEY if source == SOURCE or connected_of(source) else ACCOUNT_KEYS)
        else:
            return None
        from providers.stripe.api import StripeGateway
        from providers.stripe.client import TIMEOUT

        return StripeGateway(
            key,
            account=connected_of(source),
            api_base=settings.stripe_api_base,
            timeout=timeout or TIMEOUT,
        )

    def pages(self, settings: Settings) -> Sequence[str]:
        from providers.stripe.settings import PortalStripe

        if not isinstance(settings, PortalStripe):
            return ()
        return settings.stripe_pages if settings.portal_stripe_key or settings.portal_stripe_accounts else ()

    def dashboard(self, customer: str, invoice: str, *, livemode: bool) -> Sequence[tuple[str, str]]:
        base = DASHBOARD if livemode else f"{DASHBOARD}/test"
        return (
            ("Invoice in Stripe", f"{base}/invoices/{invoice}"),
            ("Customer in Stripe", f"{base}/customers/{customer}"),
        )

    def mirrored(self, settings: Settings) -> Sequence[str]:
        from providers.stripe.settings import StripeApi

        return settings.sources if isinstance(settings, StripeApi) else ()

    def mirror(self, source: str, settings: Settings, *, by_hand: bool = False) -> Mirror | None:
        from providers.stripe.settings import StripeApi

        if not isinstance(settings, StripeApi):
            return None
        from providers.stripe.mirror import mirror_of

        return mirror_of(settings, source, by_hand=by_hand)


def _signed_with(secrets: Sequence[str]) -> Check:
    from providers.stripe import webhook

    known = encoded(secrets)

    def check(header: Header, body: bytes, now: float) -> None:
        webhook.verify(header(webhook.SIGNATURE_HEADER), body, known, now)

    return check


SYSTEM: Final = Stripe()
