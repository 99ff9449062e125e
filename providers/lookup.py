"""What an event leaves unsaid, and whom to ask: the seam between pure normalising and calls to a provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dunning.events import BillingEvent


class Subject(StrEnum):
    INVOICE = "invoice"
    PAYMENT = "payment"
    SUBSCRIPTION = "subscription"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Lookup:
    """Read an object back, as of the event that made us ask (`at`, UTC)."""

    subject: Subject
    ref: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Normalised:
    """The facts an event states by itself, and the lookups that complete them."""

    facts: tuple[BillingEvent, ...] = ()
    lookups: tuple[Lookup, ...] = ()


class ProviderUnavailableError(Exception):
    """The provider cannot be asked now: time-out, no connection, 429, 5xx, a key it refuses.

    `passing`: it is well, and only asks us to be slower (429), so that an answer is a matter of time.
    """

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


class NothingToPayError(Exception):
    """The provider says that the invoice is paid or void, whatever its events have told us so far."""


class MalformedEventError(ValueError):
    """A correctly signed event whose body does not have the shape its type promises."""


class Gateway(Protocol):
    """A billing system that can be asked. Every answer is facts, so it folds like any event."""

    async def look_up(self, lookup: Lookup) -> Normalised:
        """The facts about one object; none when the provider does not know it.

        Raises ProviderUnavailableError, as the others do.
        """
        ...

    async def payment_link(self, invoice: str) -> str | None:
        """A page where the invoice can be paid or confirmed now, freshly made.

        Raises NothingToPayError where that would be news to us.
        """
        ...

    async def product_name(self, product: str) -> str | None:
        """What the merchant calls the product."""
        ...
