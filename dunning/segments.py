"""Who gets which policy: segments, tried in order; the first that fits wins, else the base policy.

A case keeps the policy it was opened with, whole: a new version of the file changes no running case. The
policy's key, "3f9c0a1b2d4e/annual", names the version of the file by its content, and the segment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dunning.abilities import Ability, everything, within
from dunning.account import Account, Case, Invoice, Subscription
from dunning.policy import Policy

# The first renewal is charged within hours of the trial's end; this leaves room for a paused first attempt.
TRIAL_JUST_ENDED = timedelta(days=3)


class PolicySource(Protocol):
    """Where rules get their policy from: a single `Policy` for everybody, or a `PolicyBook`."""

    def of(self, case: Case) -> Policy:
        """The policy the case was opened with."""
        ...

    def choose(self, account: Account, invoice: Invoice) -> Policy:
        """The policy for a case that opens now."""
        ...


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[frozenset[str], BeforeValidator(_several), Field(min_length=1)]


class Match(BaseModel):
    """What an invoice must be for a segment to fit; every condition that is given must hold.

    `amount_at_least` and `amount_below` are what is owed in the currency's minor unit, so they need a
    `currency`. `trial_conversion` is the first charge after a trial. `source` is the billing system:
    "stripe", or the name of another; "stripe:*" are all further accounts of it. Texts may be one value or a
    list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Names | None = None
    plan: Names | None = None
    product: Names | None = None
    currency: Names | None = None
    amount_at_least: int | None = Field(default=None, ge=0)
    amount_below: int | None = Field(default=None, ge=1)
    interval: Names | None = None
    country: Names | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    collection_method: Names | None = None
    trial_conversion: bool | None = None

    @model_validator(mode="after")
    def _amounts_have_a_currency(self) -> Match:
        amounts = (self.amount_at_least, self.amount_below)
        if any(amount is not None for amount in amounts) and self.currency is None:
            raise ValueError("an amount needs a currency beside it: 50000 is 500 dollars and 50000 yen")
        if None not in amounts and self.amount_at_least >= self.amount_below:  # type: ignore[operator]  # checked one line up
            raise ValueError("amount_at_least must be less than amount_below")
        return self

    def fits(self, account: Account, invoice: Invoice) -> bool:
        """Whether every condition holds for this invoice of this customer."""
        subscription = account.subscriptions.get(invoice.subscription or "", Subscription(ref=""))
        customer = account.customer
        metadata = dict(customer.metadata)
        return (
            _is_of(account.source, self.source)
            and _among(subscription.plan, self.plan)
            and _among(subscription.product, self.product)
            and _among(subscription.interval, self.interval)
            and _among(invoice.currency, self.currency)
            and _among(invoice.collection_method, self.collection_method)
            and _among(customer.country, self.country)
            and (self.amount_at_least is None or invoice.amount_remaining >= self.amount_at_least)
            and (self.amount_below is None or invoice.amount_remaining < self.amount_below)
            and all(metadata.get(name) == value for name, value in self.metadata.items())
            and self.trial_conversion in (None, _trial_just_ended(subscription, invoice))
        )


def _is_of(source: str, wanted: frozenset[str] | None) -> bool:
    family, colon, _ = source.partition(":")
    return _among(source, wanted) or (bool(colon) and _among(f"{family}:*", wanted))


def _among(value: str | None, wanted: frozenset[str] | None) -> bool:
    return wanted is None or value in wanted


def _trial_just_ended(subscription: Subscription, invoice: Invoice) -> bool:
    if subscription.trial_end is None or invoice.failed_at is None:
        return False
    return timedelta(0) <= invoice.failed_at - subscription.trial_end <= TRIAL_JUST_ENDED


@dataclass(frozen=True, slots=True)
class Segment:
    """`name` is what people call it; `policy` is complete: base and overrides merged."""

    name: str
    match: Match
    policy: Policy


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """The policies in force: the base, and segments in the order in which they are tried.

    `abilities` says what the billing system of a source can do.
    """

    base: Policy
    segments: tuple[Segment, ...] = ()
    abilities: Callable[[str], frozenset[Ability]] = everything

    def choose(self, account: Account, invoice: Invoice) -> Policy:
        """Of the first segment that fits, else the base policy; without what the billing system cannot do."""
        fitting = (segment.policy for segment in self.segments if segment.match.fits(account, invoice))
        return within(next(fitting, self.base), self.abilities(account.source))

    def of(self, case: Case) -> Policy:
        """The case's own; one that was opened before cases remembered gets the base policy."""
        return case.policy or self.base
