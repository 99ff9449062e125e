"""Cases added up. Each belongs to one group of every dimension, so that groups always come to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dunning.causes import Cause
from dunning.values import lean


class Fate(StrEnum):
    """What has become of a case. Only one that was paid with money is recovered."""

    RECOVERED = "recovered"
    OPEN = "open"
    LOST = "lost"


class Dimension(StrEnum):
    """By what cases are told apart. Only recovered ones have a cause."""

    MONTH = "month"
    CATEGORY = "category"
    CODE = "code"
    OUTCOME = "outcome"
    CAUSE = "cause"


@lean
@dataclass(frozen=True, slots=True)
class SeenCase:
    """One case as figures see it; amounts in minor units of `currency` (lower case).

    `due` is the most that was to be paid, `paid` what was, whenever and however much, `refunded` what of that
    was given back, and `unpaid` what an open one still wants. `lasted` is how long it was watched: to the
    payment, to the end or, while it is open, until now.
    """

    month: date
    currency: str
    category: str
    code: str
    outcome: str
    fate: Fate
    cause: Cause | None
    due: int
    paid: int
    refunded: int
    unpaid: int
    lasted: timedelta

    def group(self, dimension: Dimension) -> str | None:
        """The one group that it belongs to, or None: it has no place in this dimension."""
        match dimension:
            case Dimension.MONTH:
                return f"{self.month:%Y-%m}"
            case Dimension.CATEGORY:
                return self.category
            case Dimension.CODE:
                return self.code
            case Dimension.OUTCOME:
                return self.outcome
            case Dimension.CAUSE:
                return self.cause


@dataclass(frozen=True, slots=True)
class Range:
    """A share (0 to 1) that lies between these two until nothing is open any more; then they are one."""

    low: float
    high: float

    @property
    def known(self) -> bool:
        return self.low == self.high


@dataclass(slots=True)
class Tally:
    """How many cases, and their money in minor units of one currency."""

    cases: int = 0
    recovered: int = 0
    open: int = 0
    due: int = 0
    paid: int = 0
    refunded: int = 0
    unpaid: int = 0

    def add(self, case: SeenCase) -> None:
        self.cases += 1
        self.recovered += case.fate is Fate.RECOVERED
        self.open += case.fate is Fate.OPEN
        self.due += case.due
        self.paid += case.paid
        self.refunded += case.refunded
        self.unpaid += case.unpaid

    @property
    def lost(self) -> int:
        return self.cases - self.recovered - self.open

    @property
    def net(self) -> int:
        return self.paid - self.refunded

    @property
    def dropped(self) -> int:
        """What was due, and was neither paid nor is it still to be paid."""
        return self.due - self.paid - self.unpaid

    @property
    def rate(self) -> Range | None:
        """The share of cases that are recovered, or None: there are none."""
        if not self.cases:
            return None
        return Range(self.recovered / self.cases, (self.recovered + self.open) / self.cases)

    @property
    def money_rate(self) -> Range | None:
        """The share of what was due that was paid and kept."""
        if not self.due:
            return None
        return Range(self.net / self.due, (self.net + self.unpaid) / self.due)


ByCurrency = Mapping[str, Tally]


def whole(tallies: Iterable[Tally]) -> Tally:
    """The cases of all currencies. Of the sum only what counts cases has a meaning: money is never added."""
    counts = Tally()
    for tally in tallies:
        counts.cases += tally.cases
        counts.recovered += tally.recovered
        counts.open += tally.open
    return counts


class Sums:
    """Cases by dimension, group and currency, and all of them by currency."""

    def __init__(self) -> None:
        self.total: dict[str, Tally] = {}
        self.groups: dict[Dimension, dict[str, dict[str, Tally]]] = {each: {} for each in Dimension}

    def add(self, case: SeenCase) -> None:
        self.total.setdefault(case.currency, Tally()).add(case)
        for dimension, groups in self.groups.items():
            group = case.group(dimension)
            if group is not None:
                groups.setdefault(group, {}).setdefault(case.currency, Tally()).add(case)
