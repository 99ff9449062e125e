"""What every form of a report shows, in one order: groups as rows, and the numbers of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from console.figures import Figures
from console.figures.tally import ByCurrency, Dimension, Tally, whole
from console.figures.words import title
from dunning.causes import Cause


@dataclass(frozen=True, slots=True)
class Line:
    """One group: its key, its name, its cases of all currencies (`counts`) and its money by currency."""

    key: str
    name: str
    counts: Tally
    money: ByCurrency


# By the id of the definition. Counts belong to all currencies together, amounts (minor units) to one each.
COUNTS: Final[Mapping[str, Callable[[Tally], int]]] = {
    "cases": lambda tally: tally.cases,
    "recovered": lambda tally: tally.recovered,
    "open": lambda tally: tally.open,
    "lost": lambda tally: tally.lost,
}
AMOUNTS: Final[Mapping[str, Callable[[Tally], int]]] = {
    "due": lambda tally: tally.due,
    "paid": lambda tally: tally.paid,
    "refunded": lambda tally: tally.refunded,
    "net": lambda tally: tally.net,
    "unpaid": lambda tally: tally.unpaid,
    "dropped": lambda tally: tally.dropped,
}


def total(figures: Figures) -> Line:
    """All cases of the period."""
    return _line("all", "All", figures.total, figures.currencies)


def lines(figures: Figures, dimension: Dimension) -> Sequence[Line]:
    """The groups of a dimension: months in their order, causes in that of precedence, others by size.

    A month without a case has a line too, and so has every cause.
    """
    groups = figures.groups[dimension]
    found = [
        _line(key, title(dimension, key), groups.get(key, {}), figures.currencies)
        for key in _keys(figures, dimension)
    ]
    if dimension in (Dimension.MONTH, Dimension.CAUSE):
        return found
    return sorted(found, key=lambda line: (-line.counts.cases, line.name))


def _keys(figures: Figures, dimension: Dimension) -> Iterator[str]:
    match dimension:
        case Dimension.MONTH:
            yield from (f"{month:%Y-%m}" for month in figures.period.months())
        case Dimension.CAUSE:
            yield from Cause
        case _:
            yield from figures.groups[dimension]


def _line(key: str, name: str, by_currency: ByCurrency, currencies: Sequence[str]) -> Line:
    money = {code: by_currency[code] for code in currencies if code in by_currency}
    return Line(key, name, whole(by_currency.values()), money)
