"""When each kind of failure is told, and when it is charged again: days from the first failure, by category.

The figures are what dunning practice has settled on: money comes with a payday, a card wants its owner at
once, a technical fault passes by itself, and what must not be named is told neutrally.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from dunning.declines import Category
from dunning.durations import span, span_or

PAYDAY: Literal["payday"] = "payday"


def _ascending(spans: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    if any(earlier >= later for earlier, later in pairwise(spans)):
        raise ValueError("each must be later than the one before")
    return spans


def _retry(value: object) -> object:
    return value if value == PAYDAY else span_or(PAYDAY, value)


Wait = Annotated[timedelta, BeforeValidator(span), Field(ge=timedelta(0))]
Rungs = Annotated[tuple[Wait, ...], AfterValidator(_ascending)]
Retry = Annotated[timedelta | Literal["payday"], BeforeValidator(_retry)]


def _days(*numbers: float) -> Any:
    return Field(default=tuple(timedelta(days=number) for number in numbers))


class Ladder(BaseModel):
    """When a failure of each category is told, counted from the first failure; none: it is not told.

    The final warnings, the end and the receipt come on top.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    insufficient_funds: Rungs = _days(1, 4, 8)
    expired_card: Rungs = _days(0, 3, 7)
    authentication_required: Rungs = _days(0, 3, 7)
    incorrect_details: Rungs = _days(0, 3, 7)
    card_not_supported: Rungs = _days(0, 3, 7)
    processing_error: Rungs = _days(2, 4, 8)
    bank_declined: Rungs = _days(0, 3, 7)
    no_payment_method: Rungs = _days(0, 3, 7)
    bank_debit_failed: Rungs = _days(0, 4, 9)
    masked: Rungs = _days(0, 3, 7)
    fraud: Rungs = ()
    consent_withdrawn: Rungs = _days(0)
    merchant_side: Rungs = ()
    unknown: Rungs = _days(0, 3, 7)

    def of(self, category: Category) -> tuple[timedelta, ...]:
        rungs: tuple[timedelta, ...] = getattr(self, category.value)
        return rungs


class RetrySchedule(BaseModel):
    """When we charge again, where retries are ours: a span from the first failure, or "payday".

    A payday is the first 1st, 15th or Friday after the retry before. Nothing is ever charged again after a
    decline that the network forbids to repeat.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    insufficient_funds: tuple[Retry, ...] = (
        timedelta(days=3),
        PAYDAY,
        timedelta(days=8),
        timedelta(days=12),
    )
    processing_error: tuple[Retry, ...] = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 72))
    bank_declined: tuple[Retry, ...] = _days(2, 5, 10)
    bank_debit_failed: tuple[Retry, ...] = _days(5, 10)
    unknown: tuple[Retry, ...] = _days(2, 5)

    def of(self, category: Category) -> tuple[timedelta | Literal["payday"], ...]:
        """Empty for a category that only its owner can mend."""
        schedule: tuple[timedelta | Literal["payday"], ...] = getattr(self, category.value, ())
        return schedule
