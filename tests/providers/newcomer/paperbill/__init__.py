"""Paperbill, which does not exist: all that a package says of itself, and all that a new system needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from providers import hex_signature
from providers.door import Door, Header, body_alone, encoded
from providers.envelope import Envelope
from providers.json_body import name, parse_object
from providers.system import BillingSystem, Process, Secrets

if TYPE_CHECKING:
    from providers.lookup import Normalised
    from settings.field import Settings

SOURCE: Final = "paperbill"


class Paperbill(BillingSystem):
    """It says `dunned` and whom."""

    families = (SOURCE,)

    def settings(self) -> Mapping[Process, type[Settings]]:
        from .settings import PaperbillWebhooks

        return {"receiver": PaperbillWebhooks}

    def doors(self, secrets: Secrets) -> Mapping[str, Door]:
        known = encoded(secrets.get("PAPERBILL_SECRETS", ()))

        def check(header: Header, body: bytes, now: float) -> None:
            hex_signature.verify(header(b"x-paperbill"), body, known)

        return {"/webhooks/paperbill": Door(SOURCE, check, body_alone(_envelope))} if known else {}

    def normalise(self, event: Mapping[str, Any]) -> Normalised:
        from providers.neutral.facts import normalise

        about = {
            "subscriptionId": event["contract"],
            "attempt": event["time_of_asking"],
            "error": "expired_card",
        }
        who = {"customerId": event["debtor"], "customer": {"email": event["post_box"]}}
        same = {"id": event["number"], "createdAt": event["written"]}
        return normalise(same | {"type": "subscription.payment_failed", "data": about | who})


def _envelope(body: bytes) -> Envelope:
    return Envelope(name(parse_object(body), "number"), "dunned", None, None, "pending")


SYSTEM: Final = Paperbill()
