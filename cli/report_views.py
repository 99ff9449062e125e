"""How figures look in a terminal: tables, bars that are told apart by their shading, and a sparkline."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from cli.output import console
from cli.tables import heading, in_terminal, print_rows, say
from console.figures import Figures
from console.figures.definitions import DEFINITIONS
from console.figures.formats import amounts, days, month, months, number, percent, rate
from console.figures.notes import at_risk, notes, nothing
from console.figures.plain import CHURN
from console.figures.shown import AMOUNTS, Line, lines, total
from console.figures.tally import Dimension, Tally

# Recovered, still open, not recovered: darker is better, with colours or without.
SHADES = "█▒░"
SPARKS, SPARK_EVERY = "▁▂▃▄▅▆▇█", 2
# How long a bar is, in characters; beside the other cells of a row, with two spaces between them.
SHORTEST, LONGEST, IN_A_PIPE = 10, 40, 20
GAP = 2


def print_report(figures: Figures, *, definitions: bool) -> None:
    """Print everything; `definitions` at the end say what each number is."""
    if figures.empty:
        say(nothing(figures))
        return
    heading(f"Failed renewals and their recovery, {months(figures.period)} ({figures.period.zone.key})")
    say(at_risk(figures))
    if total(figures).counts.cases:
        _print_cases(figures)
    _print_churn(figures)
    _print_notes(figures)
    if definitions:
        heading("What each number is", level=2)
        for each in DEFINITIONS.values():
            say(each.text, label=f"{each.title}: ")


def _print_cases(figures: Figures) -> None:
    heading("Money", level=2)
    print_rows(
        [
            "",
            *(DEFINITIONS[name].title for name in ("due", "paid", "refunded", "net")),
            "Open",
            "Lost",
            "Rate",
        ],
        [_money(code, tally) for code, tally in total(figures).money.items()],
    )
    heading("By month of the first failure", level=2)
    _print_groups(figures, Dimension.MONTH, "Month")
    say(f"{SHADES[0]} recovered   {SHADES[1]} still open   {SHADES[2]} not recovered")
    heading(DEFINITIONS["cause"].title, level=2)
    _print_causes(figures)
    heading(DEFINITIONS["reason"].title, level=2)
    _print_groups(figures, Dimension.CATEGORY, "Reason")
    heading(DEFINITIONS["outcome"].title, level=2)
    print_rows(
        ["Outcome", "Cases"],
        [(line.name, number(line.counts.cases)) for line in lines(figures, Dimension.OUTCOME)],
    )
    heading(DEFINITIONS["wait"].title, level=2)
    _print_waits(figures)


def _money(code: str, tally: Tally) -> list[str]:
    shown = [amounts({code: AMOUNTS[name](tally)}) for name in ("due", "paid", "refunded", "net")]
    rest = [amounts({code: AMOUNTS[name](tally)}) for name in ("unpaid", "dropped")]
    return [code.upper(), *shown, *rest, rate(tally.money_rate)]


def _print_groups(figures: Figures, dimension: Dimension, column: str) -> None:
    found = lines(figures, dimension)
    most = max(line.counts.cases for line in found)
    _print_bars(
        [column, "Cases", "Recovered", "Open", "Lost", "Rate"],
        [
            [
                line.name,
                *map(number, (line.counts.cases, line.counts.recovered, line.counts.open, line.counts.lost)),
                rate(line.counts.rate),
            ]
            for line in found
        ],
        [(line.counts.recovered / most, line.counts.open / most, line.counts.lost / most) for line in found],
    )


def _print_causes(figures: Figures) -> None:
    found = lines(figures, Dimension.CAUSE)
    recovered = sum(line.counts.cases for line in found)
    if not recovered:
        say("Nothing has been recovered yet.")
        return
    shares = [line.counts.cases / recovered for line in found]
    _print_bars(
        ["Cause", "Cases", "Share", DEFINITIONS["net"].title],
        [
            [line.name, number(line.counts.cases), percent(share), _net(line)]
            for line, share in zip(found, shares, strict=True)
        ],
        [(share,) for share in shares],
    )


def _print_bars(
    columns: Sequence[str], rows: Sequence[Sequence[str]], bars: Sequence[Sequence[float]]
) -> None:
    """A table with a bar at the end of each row, whose parts are shares of the longest there may be."""
    width = IN_A_PIPE
    if in_terminal():
        taken = sum(max(map(len, cells)) + GAP for cells in zip(columns, *rows, strict=True))
        width = min(max(console().width - taken, SHORTEST), LONGEST)
    drawn = [bar(parts, width) for parts in bars]
    print_rows([*columns, ""], [[*row, each] for row, each in zip(rows, drawn, strict=True)])


def bar(parts: Sequence[float], width: int) -> str:
    """Parts of a whole (0 to 1 together) as shades, `width` characters for all of it; what is there shows."""
    ends = [round(end * width) for end in accumulate(parts)]
    cells = [end - begin for begin, end in pairwise([0, *ends])]
    for place, part in enumerate(parts):
        if part and not cells[place]:
            cells[place] = 1
            longest = max(range(len(cells)), key=cells.__getitem__)
            cells[longest] -= sum(cells) > width
    return "".join(shade * count for shade, count in zip(SHADES, cells, strict=False))


def _net(line: Line) -> str:
    return amounts({code: tally.net for code, tally in line.money.items()})


def _print_waits(figures: Figures) -> None:
    quartiles = figures.waits.quartiles()
    if quartiles is None:
        say("Nothing has been recovered yet.")
        return
    quarter, half, three = (days(each) for each in (quartiles.lower, quartiles.median, quartiles.upper))
    say(f"Of those that paid, a quarter took {quarter}, half {half}, three quarters {three} at most.")
    curve = figures.waits.curve()
    shares = [point.share for point in curve][::SPARK_EVERY]
    say(f"{DEFINITIONS['by_day'].title}: 0 {_spark(shares)} {curve[-1].day}")
    told = [point for point in curve if point.day in (1, 3, 7, 14, 30, 60)]
    say(" · ".join(f"day {point.day}: {percent(point.share)}" for point in told))


def _print_churn(figures: Figures) -> None:
    if not figures.ended:
        return
    heading("Subscriptions that ended", level=2)
    print_rows(
        ["Month", *(DEFINITIONS[f"churn.{why}"].title for why in CHURN)],
        [
            [month(each), *(number(figures.ended.get(each, {}).get(why, 0)) for why in CHURN)]
            for each in figures.period.months()
        ],
    )


def _print_notes(figures: Figures) -> None:
    say("")
    for note in notes(figures):
        say(note)
    say("`dunning report --definitions` says what each number is.")


def _spark(shares: Sequence[float]) -> str:
    return "".join(SPARKS[min(int(share * len(SPARKS)), len(SPARKS) - 1)] for share in shares)
