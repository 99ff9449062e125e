"""The neutral format, which any billing system can be taught: one source, or one door, for each that was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from providers.door import Door, body_alone
from providers.system import BillingSystem, Process, Secrets

if TYPE_CHECKING:
    from providers.lookup import Informant, Normalised
    from settings.field import Settings

SOURCES = "DUNNING_EVENT_SOURCES"


class Neutral(BillingSystem):
    """It speaks for every source without a package of its own, and so has no family."""

    def settings(self) -> Mapping[Process, type[Settings]]:
        from providers.neutral.settings import EventLookups, EventSources

        return {"receiver": EventSources, "worker": EventLookups}

    def doors(self, secrets: Secrets) -> Mapping[str, Door]:
        from providers.neutral import webhook

        known = [webhook.read_source(line) for line in secrets.get(SOURCES, ())]
        return {
            f"/webhooks/events/{each.name}": Door(
                each.name, webhook.checker(each), body_alone(webhook.envelope)
            )
            for each in known
        }

    def normalise(self, event: Mapping[str, Any]) -> Normalised:
        from providers.neutral.facts import normalise

        return normalise(event)

    def informant(self, source: str, settings: Settings) -> Informant | None:
        """The merchant's application, where the settings name an address for the source."""
        from providers.neutral.settings import EventLookups

        if not isinstance(settings, EventLookups):
            return None
        from providers.neutral.asking import application

        return application(source, settings)


SYSTEM: Final = Neutral()
