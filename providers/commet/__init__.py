"""Commet: its webhooks as facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from providers import hex_signature
from providers.door import Door, Header, body_alone, encoded
from providers.system import BillingSystem, Process, Secrets

if TYPE_CHECKING:
    from providers.lookup import Normalised
    from settings.field import Settings

SOURCE: Final = "commet"
SECRETS = "COMMET_WEBHOOK_SECRETS"


class Commet(BillingSystem):
    """It only tells."""

    families = (SOURCE,)

    def settings(self) -> Mapping[Process, type[Settings]]:
        from providers.commet.settings import CommetWebhooks

        return {"receiver": CommetWebhooks}

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


SYSTEM: Final = Commet()
