"""What the package of a billing system says of itself: `providers/NAME/__init__.py` ends with its `SYSTEM`.

The receiver reads it as well, which must stay small. So whatever is large (settings, facts, clients) is
imported by the method that needs it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from dunning.abilities import NOTHING, Ability
from providers.door import Door

if TYPE_CHECKING:
    from providers.lookup import Gateway, Informant, Normalised
    from providers.mirror import Mirror
    from settings.field import Settings

Process = Literal["receiver", "worker", "portal", "import"]
Secrets = Mapping[str, Sequence[str]]
"""What the receiver's settings hold, by their names in the environment."""


class Sender(ABC):
    """Somebody who posts events to us: a billing system, or the mail services."""

    families: tuple[str, ...] = ()
    """The names of its sources, up to a colon: "stripe" speaks for "stripe" and "stripe:de"."""

    def settings(self) -> Mapping[Process, type[Settings]]:
        """What it has to be told, by process. The receiver's are tuples: of secrets, or of texts."""
        return {}

    @abstractmethod
    def doors(self, secrets: Secrets) -> Mapping[str, Door]:
        """By path; none where it has no secret."""


class BillingSystem(Sender):
    """One that tells of customers, and perhaps can be asked, and do something.

    What is made is made for one `source`, on the event loop of whoever asks, by the settings of its process:
    `isinstance` tells which these are. None: there is nobody to ask.
    """

    abilities: frozenset[Ability] = NOTHING
    """No rule and no page offers anything else."""
    needs: Mapping[str, str] = MappingProxyType({})
    """Where the setting on the left is given, the one on the right has to be."""

    @abstractmethod
    def normalise(self, event: Mapping[str, Any]) -> Normalised:
        """What a stored event says. Raises MalformedEventError."""

    def gateway(self, source: str, settings: Settings) -> Gateway | None:
        """Who is asked and does what `abilities` promise."""
        return None

    def informant(self, source: str, settings: Settings) -> Informant | None:
        """Who completes its events, where there is no gateway."""
        return None

    def pages(self, settings: Settings) -> Sequence[str]:
        """The origins of its own pages, to which the page for customers may lead; none without a gateway."""
        return ()

    def dashboard(self, customer: str, invoice: str, *, livemode: bool) -> Sequence[tuple[str, str]]:
        """Where the merchant's own people find both: label and URL, in English; none where it has no such
        address.
        """
        return ()

    def mirrored(self, settings: Settings) -> Sequence[str]:
        """The sources that workers reconcile with by themselves; docs/reconcile.md."""
        return ()

    def mirror(self, source: str, settings: Settings, *, by_hand: bool = False) -> Mirror | None:
        """What it says now of everything, to reconcile with. `by_hand`: a person waits for it, and workers
        do not ask slowly beside other work.
        """
        return None
