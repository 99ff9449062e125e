"""The parts of a report's page: a chart, its tables, and the definitions of what they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from console.figures import Figures, tables
from console.figures.charts import Bar, Chart, bars, curve
from console.figures.definitions import DEFINITIONS, Definition
from console.figures.formats import days, many, money, number, percent, rate
from console.figures.plain import CHURN
from console.figures.shown import Line, lines, total
from console.figures.tables import Table
from console.figures.tally import Dimension, Tally
from dunning.causes import Cause

BESIDE = "The table beside it has the numbers."
FATES = (("recovered", "recovered"), ("open", "still open"), ("lost", "not recovered"))
MONEY = (("recovered", "kept"), ("refunded", "refunded"), ("open", "still open"), ("lost", "not recovered"))
ENDS = (("lost", "cancelled"), ("churned", "ended for non-payment"), ("open", "no reason known"))


@dataclass(frozen=True, slots=True)
class Section:
    """`lead` is what it comes to, in a sentence; `wide` tables stand below the chart and its own."""

    id: str
    title: str
    lead: str
    charts: Sequence[Chart]
    tables: Sequence[Table]
    definitions: Sequence[Definition]
    wide: Sequence[Table] = ()


def sections(figures: Figures) -> Iterator[Section]:
    """Those that have something to show, in order."""
    if total(figures).counts.cases:
        yield _months(figures)
        yield _money(figures)
        yield _causes(figures)
        yield _waits(figures)
        yield _reasons(figures)
        yield _outcomes(figures)
    if figures.ended:
        yield _churn(figures)


def _defined(*ids: str) -> list[Definition]:
    return [DEFINITIONS[id_] for id_ in ids]


def _months(figures: Figures) -> Section:
    found = lines(figures, Dimension.MONTH)
    closed = [line.counts for line in found if line.counts.cases and not line.counts.open]
    recovered, cases = sum(each.recovered for each in closed), sum(each.cases for each in closed)
    lead = (
        f"In the {many(len(closed), 'month')} of which every case is known, {percent(recovered / cases)} of "
        f"{many(cases, 'case')} were recovered."
        if cases
        else "No month is closed yet: every rate is still a range."
    )
    about = f"A bar a month, as long as it has cases: recovered, still open, not recovered. {BESIDE}"
    return Section(
        "months",
        "By month of the first failure",
        lead,
        [bars("chart-months", "Cases by month", about, _stacked(found), FATES)],
        [tables.counts("Cases and recovery rate by month", "Month", found)],
        _defined("cases", "recovered", "open", "lost", "rate"),
    )


def _stacked(found: Sequence[Line]) -> list[Bar]:
    most = max(line.counts.cases for line in found)
    return [
        Bar(line.name, _end(line.counts), [part / most for part in _parts(line.counts)]) for line in found
    ]


def _parts(tally: Tally) -> tuple[int, int, int]:
    return tally.recovered, tally.open, tally.lost


def _end(tally: Tally) -> str:
    if not tally.cases:
        return "no case"
    still_open = f", {number(tally.open)} open" if tally.open else ""
    return f"{rate(tally.rate)} of {number(tally.cases)}{still_open}"


def _money(figures: Figures) -> Section:
    found = total(figures).money
    kept = ", ".join(f"{money(tally.net, code)} of {money(tally.due, code)}" for code, tally in found.items())
    rows = [
        Bar(
            code.upper(),
            f"{rate(tally.money_rate)} of {money(tally.due, code)}",
            [part / tally.due if tally.due else 0 for part in _shares(tally)],
        )
        for code, tally in found.items()
    ]
    about = f"A bar a currency, all of its failed amount: kept, refunded, open, not recovered. {BESIDE}"
    by_month = [
        tables.sums_by_month(f"{code.upper()} by month of the first failure", figures, code) for code in found
    ]
    return Section(
        "money",
        "Money",
        f"Recovered and kept: {kept}.",
        [bars("chart-money", "What became of the failed amount", about, rows, MONEY)],
        [tables.sums("All months", figures)],
        _defined("due", "paid", "refunded", "net", "unpaid", "dropped", "money_rate"),
        by_month,
    )


def _shares(tally: Tally) -> tuple[int, int, int, int]:
    return tally.net, tally.refunded, tally.unpaid, tally.dropped


def _causes(figures: Figures) -> Section:
    found = lines(figures, Dimension.CAUSE)
    recovered = sum(line.counts.cases for line in found)
    most = max(line.counts.cases for line in found) or 1
    rows = [
        Bar(
            line.name,
            f"{percent(line.counts.cases / (recovered or 1))}, {many(line.counts.cases, 'case')}",
            [line.counts.cases / most],
        )
        for line in found
    ]
    cause = DEFINITIONS["cause"]
    return Section(
        "causes",
        cause.title,
        "What came before the payment is known; that it would not have come anyway is not.",
        [bars("chart-causes", cause.title, f"A bar a cause. {BESIDE}", rows, (("recovered", "recovered"),))],
        [tables.causes("Recovered cases by what the payment came after", figures)],
        _defined("cause", *(f"cause.{each}" for each in Cause)),
    )


def _waits(figures: Figures) -> Section:
    quartiles = figures.waits.quartiles()
    lead = "Nothing has been recovered yet."
    if quartiles:
        quarter, half, three = (days(each) for each in (quartiles.lower, quartiles.median, quartiles.upper))
        lead = f"Of those that paid, a quarter took {quarter} at most, half {half}, three quarters {three}."
    by_day = DEFINITIONS["by_day"]
    about = f"A rising line: the share of cases that is recovered by each day. {BESIDE}"
    return Section(
        "time",
        DEFINITIONS["wait"].title,
        lead,
        [curve("chart-time", by_day.title, about, figures.waits.curve())],
        [tables.by_day("Share that is recovered, by day", figures)],
        _defined("wait", "by_day"),
    )


def _reasons(figures: Figures) -> Section:
    found, codes = lines(figures, Dimension.CATEGORY), lines(figures, Dimension.CODE)
    about = f"A bar a reason, as long as it has cases: recovered, still open, not recovered. {BESIDE}"
    return Section(
        "reasons",
        DEFINITIONS["reason"].title,
        f"Most often: {found[0].name.lower()}, {many(found[0].counts.cases, 'case')}.",
        [bars("chart-reasons", "Cases by reason", about, _stacked(found), FATES)],
        [tables.counts("By reason", "Reason", found)],
        _defined("reason"),
        [tables.counts("By the provider's code", "Code", codes)],
    )


def _outcomes(figures: Figures) -> Section:
    found = lines(figures, Dimension.OUTCOME)
    cases = total(figures).counts.cases
    rows = [
        Bar(
            line.name,
            f"{percent(line.counts.cases / cases)}, {many(line.counts.cases, 'case')}",
            [part / cases for part in _parts(line.counts)],
        )
        for line in found
    ]
    return Section(
        "outcomes",
        DEFINITIONS["outcome"].title,
        f"{many(total(figures).counts.cases, 'case')} in all.",
        [bars("chart-outcomes", "Cases by outcome", f"A bar an outcome. {BESIDE}", rows, FATES)],
        [tables.outcomes("Cases by outcome", figures)],
        _defined("outcome"),
    )


def _churn(figures: Figures) -> Section:
    months = list(figures.period.months())
    ended = [[figures.ended.get(month, {}).get(why, 0) for why in CHURN] for month in months]
    most = max(map(sum, ended))
    table = tables.churn("Subscriptions that ended, by month", figures)
    rows = [
        Bar(row[0], number(sum(parts)), [part / most for part in parts])
        for row, parts in zip(table.rows, ended, strict=True)
    ]
    voluntary, involuntary, _ = (sum(column) for column in zip(*ended, strict=True))
    about = f"A bar a month: cancelled, ended for non-payment, no reason known. {BESIDE}"
    return Section(
        "churn",
        "Subscriptions that ended",
        f"{number(voluntary)} because somebody asked for it, {number(involuntary)} because nobody paid.",
        [bars("chart-churn", "Ended subscriptions by month", about, rows, ENDS)],
        [table],
        _defined(*(f"churn.{why}" for why in CHURN)),
    )
