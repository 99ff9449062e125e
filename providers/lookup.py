"""What an event leaves unsaid, and whom to ask: the seam between pure normalising and calls to a provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol, get_args

from dunning.events import BillingEvent, CustomerFact


class Subject(StrEnum):
    INVOICE = "invoice"
    PAYMENT = "payment"
    SUBSCRIPTION = "subscription"
    CUSTOMER = "customer"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Lookup:
    """Read an object back, as of the event that made us ask (`at`, UTC).

    `event` is that event, where the answer completes it instead of standing for itself.
    """

    subject: Subject
    ref: str
    at: datetime
    event: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Normalised:
    """The facts an event states by itself, and the lookups that complete them.

    `unowned` are facts of whoever has the subscription `of`, whom the event does not name: their `customer`
    is empty. `twin` is the id of another event that tells the same, should it come as well. `closed`: nothing
    more will be told of anybody of this source, nor can be asked; `opened`: it can be, from now on.
    """

    facts: tuple[BillingEvent, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    unowned: tuple[CustomerFact, ...] = ()
    of: str | None = None
    twin: str | None = None
    closed: bool = False
    opened: bool = False


class ProviderUnavailableError(Exception):
    """The provider cannot be asked now: time-out, no connection, 429, 5xx, a key it refuses.

    `passing`: it is well, and only asks us to be slower (429), or we had no time left to ask it, so that an
    answer is a matter of time; by `retry_after` seconds, where it says so. `forbidden`: it is well, and our
    key may not know. `refused`: it does not take our key at all.
    """

    def __init__(
        self,
        reason: str,
        *,
        passing: bool = False,
        retry_after: float | None = None,
        forbidden: bool = False,
        refused: bool = False,
    ) -> None:
        super().__init__(reason)
        self.passing, self.retry_after = passing, retry_after
        self.forbidden, self.refused = forbidden, refused


class RefusedError(Exception):
    """The provider does not do what was asked, nor would if asked again. `code` is its own, safe to log."""

    def __init__(self, code: str, *, declined: bool = False, missing: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.declined = declined
        self.missing = missing


class NothingToPayError(Exception):
    """The provider says that the invoice is paid or void, whatever its events have told us so far."""


class NotSoldError(Exception):
    """The provider would not sell again what the customer had."""


class MalformedEventError(ValueError):
    """A correctly signed event whose body does not have the shape its type promises."""


Result = Literal["paid", "processing", "declined", "refused"]
NOTHING_NEW = "no_new_payment_method"
NEEDS_CONFIRMATION = "invoice_payment_intent_requires_action"


@dataclass(frozen=True, slots=True)
class Charged:
    """What became of a charge we asked for. `reason` is the provider's code, or a word of ours.

    `processing`: it was taken up and its end comes later (a bank debit). `refused`: nothing was charged,
    and asking again would change nothing: the invoice is not open any more, or has nothing to charge.
    """

    result: Result
    reason: str | None = None

    def __str__(self) -> str:
        return f"{self.result}: {self.reason}" if self.reason else self.result

    @classmethod
    def read(cls, text: str) -> Charged | None:
        """Of what `str` made; None for any other text."""
        result, _, reason = text.partition(": ")
        known = next((each for each in get_args(Result) if each == result), None)
        return cls(known, reason or None) if known else None

    @property
    def needs_confirmation(self) -> bool:
        """Whether the bank wants the customer to confirm it."""
        return self.reason in (NEEDS_CONFIRMATION, "authentication_required")


EndAction = Literal["cancel", "unpaid", "pause", "void"]


class Informant(Protocol):
    """Who can be asked what events leave unsaid. Every answer is facts, which fold like those of an event."""

    async def look_up(self, lookup: Lookup) -> Normalised:
        """The facts about one object; none when nobody knows it. Raises ProviderUnavailableError."""
        ...


class Gateway(Informant, Protocol):
    """A billing system that can be asked, and asked to do something: see `dunning.abilities`.

    What is asked raises ProviderUnavailableError.
    """

    async def payment_link(self, invoice: str) -> str | None:
        """A page where the invoice can be paid or confirmed now, freshly made.

        Raises NothingToPayError where that would be news to us.
        """
        ...

    async def product_name(self, product: str) -> str | None:
        """What the merchant calls the product."""
        ...

    async def pay(self, invoice: str, key: str, *, present: bool = False, anew: bool = False) -> Charged:
        """Charge what is on file for the invoice, once for each `key` (the idempotency key).

        `present`: the customer is there to confirm. `anew`: charge the method they gave last, which becomes
        the one that is charged next; nothing is charged where that is the one that failed. Raises
        ProviderUnavailableError when it is not known what became of it: ask again with the same key.
        """
        ...

    async def method_page(self, customer: str, back: str) -> str:
        """A page of the provider's where the customer gives another way to pay, made for this click.

        It leads to `back` afterwards. Raises ProviderUnavailableError, also where it is not set up there.
        """
        ...

    async def end(self, subscription: str, action: EndAction, key: str) -> None:
        """Stop a subscription that nobody pays, once for each `key`; one that has ended is left alone.

        `unpaid`: goes on making invoices, and charges none. `void` is for one that has ended: nothing that
        it has left open is owed any more. Raises ProviderUnavailableError.
        """
        ...

    async def begin_again(self, subscription: str, back: str) -> str | None:
        """A page of the provider's where the customer buys again what this ended subscription was for.

        Asked for again it is the same page, and none that was made before it can be paid any more. It leads
        to `back` afterwards. None: they have another subscription, and nothing is sold twice. Raises
        NotSoldError or ProviderUnavailableError.
        """
        ...

    async def revive(self, subscription: str) -> str:
        """A page where the invoice is paid that brings an unpaid subscription back.

        Raises NothingToPayError where it is not unpaid any more, or ProviderUnavailableError.
        """
        ...
