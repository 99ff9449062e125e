"""`dunning report`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from cli.database import read
from cli.output import CommandError, Json, print_json
from cli.tables import say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from console.figures import Figures
    from console.figures.period import Period

STDOUT = Path("-")


def command(
    first: Annotated[
        str | None, typer.Option("--from", metavar="YYYY-MM", help="The first month, whole.")
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="YYYY-MM", help="The last month; without it the present one."),
    ] = None,
    months: Annotated[int | None, typer.Option(min=1, help="So many months up to the last; 12.")] = None,
    currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Cases of this currency alone.")
    ] = None,
    test_clocks: Annotated[
        bool, typer.Option("--test-clocks", help="Customers on Stripe's test clocks too.")
    ] = False,
    definitions: Annotated[
        bool, typer.Option("--definitions", help="Say at the end what each number is.")
    ] = False,
    json: Json = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a long table, one number a row; - prints it.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one page with charts that needs nothing else.")
    ] = None,
) -> None:
    """What failed, what was recovered, by what, and how fast: with charts, net of refunds.

    \b
    Cases are told apart by the month in which they failed first. A month's recovery rate
    is a range while cases of it are open, and final when none is. Amounts of different
    currencies are never added. docs/report.md explains how to read it.

    \b
    Exit code 0, also when nothing has failed yet; 1 when the database cannot be read or
    a file cannot be written; 2 for months that cannot be meant.

    \b
    Examples:
      dunning report
      dunning report --months 3 --definitions
      dunning report --from 2026-01 --to 2026-06 --currency eur
      dunning report --html report.html --csv report.csv
      dunning report --csv - | grep ^rate
      dunning report --json | jq '.months[] | select(.closed) | {month, rate}'
    """
    settings = load(ToolSettings)
    wanted = _period(first, last, months, settings)
    figures = _read(settings, wanted, _currency(currency), test_clocks)
    if json:
        from console.figures.plain import plain

        print_json(plain(figures))
    if csv:
        from console.figures import tidy

        _write(csv, lambda file: tidy.write(figures, file))
    if html:
        from console.figures.page import page

        _write(html, lambda file: file.write(page(figures)))
    if not (json or csv or html):
        from cli.report_views import print_report

        print_report(figures, definitions=definitions)


def _period(first: str | None, last: str | None, months: int | None, settings: ToolSettings) -> Period:
    from console.figures.period import PeriodError, period

    try:
        return period(first, last, months, now=datetime.now(UTC), zone=settings.timezone)
    except PeriodError as error:
        raise typer.BadParameter(str(error)) from error


def _currency(code: str | None) -> str | None:
    if code is not None and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise typer.BadParameter(f"{code!r} is no currency: give three letters, such as eur.")
    return code


def _read(settings: ToolSettings, wanted: Period, currency: str | None, test_clocks: bool) -> Figures:
    from console.figures import figures

    async def work(connection: AsyncConnection) -> Figures:
        return await figures(
            connection, wanted, now=datetime.now(UTC), currency=currency, test_clocks=test_clocks
        )

    return read(settings, work)


def _write(path: Path, into: Callable[[TextIO], object]) -> None:
    """Into the file, or to stdout for `-`. Raises CommandError where it cannot be written."""
    if path == STDOUT:
        into(sys.stdout)
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            into(file)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}") from error
    say(f"Written to {path}.")
