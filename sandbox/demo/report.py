"""Shows how the demo ended: a row for each customer, what differs, totals, where to look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.demo.days import DAY_ZERO, day_of
from sandbox.demo.director import Outcome, Result
from sandbox.demo.screen import LEVEL_STYLES
from sandbox.demo.witness import Level, Sent, in_days

NOTHING = Text("-", "dim")
# Shares of the width; the last two are as wide as their words.
_COLUMNS = {"Customer": 26, "Failed charges": 17, "Mails": 21, "Team": 20}
_NARROW = {"Access": 11, "": 1}


def print_report(console: Console, outcome: Outcome, index: Path, seconds: float) -> None:
    """For people. `index` is the inbox's first page, `seconds` how long all of it took."""
    table = Table(box=box.ROUNDED, border_style="dim", show_lines=True, expand=True)
    for name, ratio in _COLUMNS.items():
        table.add_column(name, ratio=ratio)
    for name, width in _NARROW.items():
        table.add_column(name, width=width)
    for result in outcome.results:
        table.add_row(*_row(result))
    console.print(table)
    console.print(f"dN: day N, counted from the renewals of {DAY_ZERO:%-d %B %Y} on test clocks", style="dim")
    for result in outcome.results:
        if result.differences:
            console.print(_complaint(result))
    counts = outcome.counts
    again = counts.deliveries - counts.events
    console.print()
    if outcome.ok:
        console.print(f"[green]✓[/green] All {len(outcome.results)} stories ended as they must.")
    console.print(
        f"Thirty days in {seconds:.0f} s: {counts.events} events in no order, {again} of them twice; "
        f"{counts.mails} mails, {counts.calls} calls for the team by mail and chat, "
        f"{counts.access_changes} changes of access."
    )
    console.print(f"Read the mails: [bold]{index.resolve().as_uri()}[/bold]", soft_wrap=True)


def _row(result: Result) -> list[Text]:
    story, seen = result.story, result.seen
    return [
        Text.assemble((story.name, "bold"), "\n", (story.title, "dim")),
        _lines(_failures(result)),
        _lines(in_days(seen.mails).split(", ")),
        _lines(in_days(seen.team).split(", ")),
        _levels(seen.access),
        Text("✗", "bold red") if result.differences else Text("✓", "green"),
    ]


def _lines(lines: list[str]) -> Text:
    return Text("\n".join(lines)) if any(lines) else NOTHING


def _failures(result: Result) -> list[str]:
    """`insufficient funds d0 d3`: what the bank said and when."""
    lines: dict[str, str] = {}
    for failure in result.failures:
        code = (failure.code or "3D Secure asked for").replace("_", " ")
        lines[code] = f"{lines.get(code, code)} d{day_of(failure.at)}"
    return list(lines.values())


def _levels(levels: tuple[Level, ...]) -> Text:
    steps = [
        Text(
            level.what if level.day is None else f"{level.what} d{level.day}",
            LEVEL_STYLES.get(level.what, ""),
        )
        for level in levels
    ]
    return Text("\n").join(steps)


def _complaint(result: Result) -> Text:
    text = Text.assemble("\n", ("✗ ", "bold red"), (f"{result.story.name}: {result.story.title}", "bold"))
    for difference in result.differences:
        text.append(f"\n    {difference.what}")
        text.append(f"\n      must be  {difference.expected}")
        text.append(f"\n      but is   {difference.seen}", "red")
    return text


def as_json(outcome: Outcome, directory: Path, seconds: float) -> dict[str, Any]:
    """For machines: plain values; days are counted as in the table, amounts are in minor units."""
    return {
        "ok": outcome.ok,
        "seconds": round(seconds, 1),
        "totals": {
            "customers": len(outcome.results),
            "events": outcome.counts.events,
            "deliveries": outcome.counts.deliveries,
            "mails": outcome.counts.mails,
            "team_calls": outcome.counts.calls,
            "access_changes": outcome.counts.access_changes,
        },
        "inbox": str((directory / "mails/index.html").resolve()),
        "customers": [_customer(result) for result in outcome.results],
    }


def _customer(result: Result) -> dict[str, Any]:
    story, seen = result.story, result.seen
    return {
        "ok": not result.differences,
        "customer": result.customer,
        "name": story.name,
        "email": story.email,
        "story": story.title,
        "amount": story.purchase.amount,
        "currency": story.purchase.currency,
        "events": result.events,
        "failed_charges": [{"day": day_of(failure.at), "code": failure.code} for failure in result.failures],
        "deeds": [{"day": deed.day, "what": deed.words} for deed in story.deeds],
        "mails": [_sent(mail) for mail in seen.mails],
        "team_calls": [_sent(mail) for mail in seen.team],
        "access": [{"day": level.day, "level": level.what} for level in seen.access],
        "differences": [
            {"what": each.what, "expected": each.expected, "seen": each.seen} for each in result.differences
        ],
    }


def _sent(mail: Sent) -> dict[str, Any]:
    return {"day": mail.day, "what": mail.what, "subject": mail.subject, "page": mail.page}
