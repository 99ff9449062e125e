"""Tables of a report's page: the same numbers as its charts, and more of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.figures import Figures
from console.figures.definitions import DEFINITIONS
from console.figures.formats import NOTHING, amounts, money, month, number, percent, rate
from console.figures.plain import CHURN
from console.figures.shown import AMOUNTS, COUNTS, Line, lines, total
from console.figures.tally import Dimension

SHOWN_DAYS = (1, 3, 7, 14, 30, 60)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under columns; the first cell of a row is its name, the others are numbers."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def titles(*ids: str) -> list[str]:
    return [DEFINITIONS[id_].title for id_ in ids]


def counts(caption: str, column: str, found: Sequence[Line]) -> Table:
    """Cases of each group and their rate."""
    rows = []
    for line in found:
        cases, *rest = (number(count(line.counts)) for count in COUNTS.values())
        # The rate comes early: a phone shows the first columns.
        rows.append([line.name, cases, rate(line.counts.rate), *rest])
    cases, *rest = titles(*COUNTS)
    return Table(caption, [column, cases, *titles("rate"), *rest], rows)


def sums(caption: str, figures: Figures) -> Table:
    """The money of the whole period, a currency a column."""
    found = total(figures).money
    rows = [
        [DEFINITIONS[name].title, *(money(amount(tally), code) for code, tally in found.items())]
        for name, amount in AMOUNTS.items()
    ]
    rates = [DEFINITIONS["money_rate"].title, *(rate(tally.money_rate) for tally in found.values())]
    return Table(caption, ["", *(code.upper() for code in found)], [*rows, rates])


def sums_by_month(caption: str, figures: Figures, code: str) -> Table:
    """The money of one currency, a month a row."""
    rows = []
    for line in lines(figures, Dimension.MONTH):
        tally = line.money.get(code)
        cells = [money(amount(tally), code) for amount in AMOUNTS.values()] if tally else [NOTHING] * 6
        rows.append([line.name, *cells, rate(tally.money_rate) if tally else NOTHING])
    return Table(caption, ["Month", *titles(*AMOUNTS, "money_rate")], rows)


def causes(caption: str, figures: Figures) -> Table:
    """Recovered cases and what they brought, by what they came after."""
    found = lines(figures, Dimension.CAUSE)
    recovered = sum(line.counts.cases for line in found)
    rows = [
        [
            line.name,
            number(line.counts.cases),
            percent(line.counts.cases / recovered) if recovered else NOTHING,
            amounts({code: tally.net for code, tally in line.money.items()}),
        ]
        for line in found
    ]
    return Table(caption, ["Paid", "Cases", "Share of recovered cases", *titles("net")], rows)


def outcomes(caption: str, figures: Figures) -> Table:
    """Cases by what became of them."""
    cases = total(figures).counts.cases
    rows = [
        [line.name, number(line.counts.cases), percent(line.counts.cases / cases)]
        for line in lines(figures, Dimension.OUTCOME)
    ]
    return Table(caption, ["Outcome", "Cases", "Share"], rows)


def by_day(caption: str, figures: Figures) -> Table:
    """The curve at some days."""
    rows = [
        [f"Day {point.day}", percent(point.share), number(point.watched)]
        for point in figures.waits.curve()
        if point.day in SHOWN_DAYS
    ]
    return Table(caption, ["By", "Recovered", "Cases watched so long"], rows)


def churn(caption: str, figures: Figures) -> Table:
    """Subscriptions that ended, a month a row."""
    rows = [
        [month(each), *(number(figures.ended.get(each, {}).get(why, 0)) for why in CHURN)]
        for each in figures.period.months()
    ]
    return Table(caption, ["Month", *titles(*(f"churn.{why}" for why in CHURN))], rows)
