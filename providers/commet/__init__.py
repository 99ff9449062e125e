"""Commet: its webhooks, its API, its objects as facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dunning.abilities import Ability
from providers import hex_signature
from providers.door import Door, Header, body_alone, encoded
from providers.system import BillingSystem, Process, Secrets

if TYPE_CHECKING:
    from providers.lookup import Gateway, Normalised
    from providers.mirror import Mirror
    from settings.field import Settings

SOURCE: Final = "commet"
SECRETS = "COMMET_WEBHOOK_SECRETS"
# Seconds. Somebody waits in front of the page.
PAGE_TIMEOUT = 15.0


class Commet(BillingSystem):
    """It charges and ends by itself. With a key it is asked, and shows pages of its own."""

    families = (SOURCE,)
    abilities = frozenset({Ability.PAGES, Ability.SELL})

    def settings(self) -> Mapping[Process, type[Settings]]:
        from providers.commet.settings import CommetApi, CommetWebhooks, PortalCommet

        return {
            "receiver": CommetWebhooks,
            "worker": CommetApi,
            "portal": PortalCommet,
            "import": CommetApi,
        }

    def doors(self, secrets: Secrets) -> Mapping[str, Door]:
        from providers.commet import webhook

        known = encoded(secrets.get(SECRETS, ()))
        if not known:
            return {}

        def check(header: Header, body: bytes, now: float) -> None:
            hex_signature.verify(header(webhook.SIGNATURE_HEADER), body, known)

        return {"/webhooks/commet": Door(SOURCE, check, body_alone(webhook.envelope))}

    def normalise(self, event: Mapping[str, Any]) -> Normalised:
        from providers.commet.facts import normalise

        return normalise(event)

    def gateway(self, source: str, settings: Settings) -> Gateway | None:
        """Without a key nobody is asked, as for any system that only tells."""
        from providers.commet.settings import CommetApi, PortalCommet

        if isinstance(settings, PortalCommet):
            key, timeout = settings.portal_commet_key, PAGE_TIMEOUT
        elif isinstance(settings, CommetApi):
            key, timeout = settings.commet_api_key, None
        else:
            return None
        if key is None:
            return None
        from providers.commet.api import CommetGateway
        from providers.commet.client import TIMEOUT

        return CommetGateway(
            key.get_secret_value(),
            livemode=settings.livemode,
            api_base=settings.commet_api_base,
            timeout=timeout or TIMEOUT,
        )

    def pages(self, settings: Settings) -> Sequence[str]:
        from providers.commet.settings import PortalCommet

        has = isinstance(settings, PortalCommet) and settings.portal_commet_key
        return settings.commet_pages if has and isinstance(settings, PortalCommet) else ()

    def mirrored(self, settings: Settings) -> Sequence[str]:
        from providers.commet.settings import CommetApi

        return (SOURCE,) if isinstance(settings, CommetApi) and settings.commet_api_key else ()

    def mirror(self, source: str, settings: Settings, *, by_hand: bool = False) -> Mirror | None:
        from providers.commet.settings import CommetApi

        if not isinstance(settings, CommetApi):
            return None
        from providers.commet.mirror import mirror_of

        return mirror_of(settings, source, by_hand=by_hand)


SYSTEM: Final = Commet()
