"""Figures as a long table, for spreadsheets and data frames: one number a row, with its definition's id."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from console.figures import Figures
from console.figures.definitions import DEFINITIONS, Unit
from console.figures.plain import CHURN
from console.figures.shown import AMOUNTS, COUNTS, Line, lines, total
from console.figures.tally import Dimension, Range
from dunning.money import Money

COLUMNS = ("metric", "cohort", "dimension", "group", "currency", "value", "unit", "definition")
Row = tuple[str, str, str, str, str, str, str, str]


# With what spreadsheets begin a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(figures: Figures, file: TextIO) -> None:
    """The rows as CSV (RFC 4180) under their names."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for metric, cohort, dimension, group, currency, *rest in rows(figures):
        writer.writerow((metric, cohort, dimension, _harmless(group), _harmless(currency), *rest))


def _harmless(word: str) -> str:
    """A word from outside that a spreadsheet would work out gets an apostrophe before it (OWASP)."""
    return f"'{word}" if word.startswith(FORMULA) else word


def rows(figures: Figures) -> Iterator[Row]:
    """`cohort` is a month or `all`. Counts have no currency; amounts are decimals, in whole units of it."""
    for each in figures.at_risk:
        amount = decimal(each.amount, each.currency)
        yield _row("at_risk", "all", "", "", each.currency, amount, "at_risk")
        yield _row("at_risk_cases", "all", "", "", each.currency, str(each.cases), "at_risk", Unit.CASES)
    yield from _line(total(figures), "all", "", "")
    for line in lines(figures, Dimension.MONTH):
        yield from _line(line, line.key, "", "")
    for dimension in (Dimension.CATEGORY, Dimension.CODE, Dimension.OUTCOME, Dimension.CAUSE):
        for line in lines(figures, dimension):
            yield from _line(line, "all", dimension.value, line.key)
    yield from _waits(figures)
    for month in figures.period.months():
        for why in CHURN:
            ended = figures.ended.get(month, {}).get(why, 0)
            yield _row(f"churn.{why}", f"{month:%Y-%m}", "", "", "", str(ended), f"churn.{why}")


def decimal(amount: int, currency: str) -> str:
    """An amount in minor units as `19.99`, without an exponent."""
    return f"{Money(amount, currency).decimal():f}"


def _line(line: Line, cohort: str, dimension: str, group: str) -> Iterator[Row]:
    for name, count in COUNTS.items():
        yield _row(name, cohort, dimension, group, "", str(count(line.counts)), name)
    yield from _range("rate", line.counts.rate, cohort, dimension, group, "")
    for code, tally in line.money.items():
        for name, amount in AMOUNTS.items():
            yield _row(name, cohort, dimension, group, code, decimal(amount(tally), code), name)
        yield from _range("money_rate", tally.money_rate, cohort, dimension, group, code)


def _range(
    name: str, share: Range | None, cohort: str, dimension: str, group: str, currency: str
) -> Iterator[Row]:
    for end, value in (("low", share.low), ("high", share.high)) if share else ():
        yield _row(f"{name}_{end}", cohort, dimension, group, currency, f"{value:.4f}", name)


def _waits(figures: Figures) -> Iterator[Row]:
    quartiles = figures.waits.quartiles()
    if quartiles:
        for name in ("lower", "median", "upper"):
            value = f"{getattr(quartiles, name):.2f}"
            yield _row(f"wait_{name}", "all", "", "", "", value, "wait")
    for point in figures.waits.curve():
        yield _row("by_day", "all", "day", str(point.day), "", f"{point.share:.4f}", "by_day")


def _row(
    metric: str,
    cohort: str,
    dimension: str,
    group: str,
    currency: str,
    value: str,
    definition: str,
    unit: Unit | None = None,
) -> Row:
    unit = unit or DEFINITIONS[definition].unit
    return (metric, cohort, dimension, group, currency, value, unit.value, definition)
