"""What a billing system says now of what we hold: pages to compare, and single objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from dunning.events import BillingEvent, CustomerFact
from providers.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Told:
    """One event as the receiver would store it."""

    envelope: Envelope
    body: bytes


@dataclass(frozen=True, slots=True)
class EventPage:
    """`told` are those that matter here, of `listed` in all; `last` is where to go on, None at the end."""

    told: Sequence[Told]
    listed: int
    last: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """One page as facts. `last` is where to go on, None after the last page; `objects` were on it.

    `invoices_read` are those of which all charges were asked for, `unreadable` the ids of what does not have
    the shape that its kind promises.
    """

    facts: tuple[BillingEvent, ...] = ()
    objects: int = 0
    invoices_read: int = 0
    last: str | None = None
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """One that was charged in vain, and is still to be paid."""

    ref: str
    customer: str


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A page of them, of `objects` in all; `last` is where to go on, None at the end."""

    invoices: Sequence[OpenInvoice]
    objects: int
    last: str | None
    unreadable: int = 0


class Mirror(Protocol):
    """One source, asked at a pace. Belongs to one event loop.

    Every question raises ProviderUnavailableError when patience is over, or RefusedError where the place to
    go on from is not known any more. Whoever has no list of one kind gives an empty page.
    """

    @property
    def source(self) -> str:
        """Whose customers these are."""
        ...

    @property
    def kept_for(self) -> timedelta | None:
        """How long it can tell of an event that was made. None: it lists none, and what is open is compared
        each hour instead.
        """
        ...

    async def events(self, since: datetime, after: str | None) -> EventPage:
        """Those made since then, the newest first."""
        ...

    def subscriptions(self) -> AsyncIterator[tuple[str, Callable[[str | None], Awaitable[Listed]]]]:
        """The lists of subscriptions and their customers, by name; the first one is "subscriptions"."""
        ...

    async def open_invoices(self, after: str | None) -> OpenPage:
        """All that somebody should hear of."""
        ...

    async def invoice(self, name: str, at: datetime) -> Sequence[BillingEvent]:
        """Everything about one invoice, as of `at` or later; nothing where nobody knows it."""
        ...

    async def subscription(self, name: str, at: datetime) -> Sequence[BillingEvent]:
        """The same of a subscription, with what it has open where it is in trouble."""
        ...

    async def customer(self, name: str, at: datetime) -> Sequence[BillingEvent]:
        """The same of a customer alone."""
        ...


def facts_of(facts: Sequence[BillingEvent], customer: str) -> list[CustomerFact]:
    """Those of this customer. That a test clock has moved is no fact of anybody's."""
    return [fact for fact in facts if getattr(fact, "customer", None) == customer]  # type: ignore[misc]  # which are the ones that name a customer
