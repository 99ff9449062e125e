"""Results as a table and as JSON."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from benchmarks.experiment import SET_UP, Mark, Result, Samples

ENOUGH = 5
"""Rounds; where there are fewer it is said."""

_UNITS = {"rate": "/s", "ms": " ms", "mb": " MB", "percent": " %"}


def table(result: Result) -> Table:
    """The marks of one row, with the figures they come from."""
    title = result.experiment.title
    if result.rounds < ENOUGH:
        title += f" ({result.rounds} rounds)"
    took = f"{result.seconds:.1f} s, {result.spent[SET_UP]:.1f} of them to set up"
    shown = Table(title=title, title_style="bold", caption=took, box=SIMPLE_HEAD)
    shown.title_justify = shown.caption_justify = "left"
    shown.add_column("")
    for column in ("ours", "beside it", "ratio", "must", "aim"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    for mark in result.experiment.marks:
        shown.add_row(*_line(mark, result.samples))
    return shown


def _line(mark: Mark, samples: Samples) -> list[str]:
    value = mark.value(samples)
    beside = ratio = ""
    unit = "x" if mark.against else _unit(mark.figure).strip()
    if mark.against:
        beside = _figure(samples, mark.against, mark.figure)
        ratio = f"{_number(value)} x"
    return [
        mark.what,
        _figure(samples, mark.contender, mark.figure),
        beside,
        ratio,
        _limit(mark, mark.must, unit),
        _limit(mark, mark.aim, unit),
        verdict(mark, value),
    ]


def verdict(mark: Mark, value: float) -> str:
    """In a word."""
    if mark.must is None:
        return ""
    if not mark.reaches(value, mark.must):
        return "[red]misses[/]"
    return "[green]aim[/]" if mark.reaches(value, mark.aim) else "[green]reached[/]"


def as_json(
    results: list[Result], machine: Mapping[str, Any], scale: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """Everything: each figure of each round, the marks, and what took how long. `seconds`: the run."""
    return {
        "machine": dict(machine),
        "scale": dict(scale),
        "seconds": round(seconds, 1),
        "rows": [
            {
                "name": result.experiment.name,
                "title": result.experiment.title,
                "rounds": result.rounds,
                "seconds": round(result.seconds, 1),
                "spent": {what: round(seconds, 1) for what, seconds in result.spent.items()},
                "marks": [_as_json(mark, result.samples) for mark in result.experiment.marks],
                "contenders": {
                    name: {figure: [one[figure] for one in rounds] for figure in rounds[0]}
                    for name, rounds in result.samples.items()
                },
            }
            for result in results
        ],
    }


def _as_json(mark: Mark, samples: Samples) -> dict[str, Any]:
    value = mark.value(samples)
    return {
        "what": mark.what,
        "contender": mark.contender,
        "figure": mark.figure,
        "against": mark.against,
        "value": value,
        "must": mark.must,
        "aim": mark.aim,
        "better": mark.better,
        "must_reached": mark.reaches(value, mark.must),
        "aim_reached": mark.reaches(value, mark.aim),
    }


def _figure(samples: Samples, contender: str, figure: str) -> str:
    middle = median(one[figure] for one in samples[contender])
    return f"{_number(middle)}{_unit(figure)}"


def _limit(mark: Mark, limit: float | None, unit: str) -> str:
    if limit is None:
        return ""
    return f"{'≥' if mark.better == 'more' else '≤'} {limit:g} {unit}"


def _unit(figure: str) -> str:
    return _UNITS[figure.rpartition("_")[2]]


def _number(value: float) -> str:
    """Three digits that matter."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
