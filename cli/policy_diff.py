"""`dunning policy diff`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.database import read
from cli.moments import span, stamp
from cli.output import CommandError, Json, console, print_error, print_json
from cli.tables import heading, print_rows, say
from dunning.comparison import Change, Difference, Tally, Totals, Way
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from cli.replays import Answer, Question

DIFFERENT = 1
"""The exit code when something would be done otherwise; a file that cannot be meant is 2."""

UNREAD = 3
"""The exit code when the database could not be read: nobody knows whether anything differs."""


def diff(
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The policy file to try, TOML.")],
    against: Annotated[
        Path | None, typer.Option(metavar="OLD", help="Another file; without it the policy in force.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only cases that failed first on this day (UTC) or later."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="Customers to list, those with the most differences; totals count all.")
    ] = 50,
    json: Json = False,
) -> None:
    """Replay every case through two policies and list what would be done otherwise.

    \b
    The replay runs on the local mirror that all stored events were folded into. It
    lives each customer from the first failure on with what was known at each moment,
    once with the policy in force (or OLD) and once with NEW; every mail is taken to
    be accepted at once. Open cases go on, unpaid, to their end. Notices before a
    renewal belong to no case and are left out. Nothing is changed and nobody is asked.

    \b
    Exit code 0 when nothing differs, 1 when something does, 2 for a file that
    cannot be meant, 3 when the database cannot be read. --json lists every customer.

    \b
    Examples:
      dunning policy diff policy.toml
      dunning policy diff new.toml --against old.toml --since 2026-01-01
      dunning policy diff new.toml --json
    """
    from cli.replays import Question
    from worker.policy import policy, read_file

    settings = load(ToolSettings)
    zone = settings.timezone.key
    old = read_file(against, time_zone=zone) if against else policy(settings)
    first = since.replace(tzinfo=UTC) if since else None
    asked = Question(old, read_file(new, time_zone=zone), first, None if json else limit)
    try:
        answer = _ask(settings, asked)
    except CommandError as error:
        print_error("Failed", str(error), error.hint)
        raise typer.Exit(UNREAD) from error
    if json:
        print_json(_as_json(answer))
    else:
        _show(answer, limit)
    if answer.totals.customers_touched:
        raise typer.Exit(DIFFERENT)


def _ask(settings: ToolSettings, question: Question) -> Answer:
    from cli.replays import compare_all

    with _progress() as (begun, done):

        async def work(connection: AsyncConnection) -> Answer:
            url = settings.database_url_sqlalchemy
            return await compare_all(connection, url, question, begun=begun, done=done)

        return read(settings, work)


@contextmanager
def _progress() -> Iterator[Any]:
    """A bar on a terminal's stderr; nothing where nobody looks."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("replaying"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("customers"),
        TimeRemainingColumn(),
        console=console(sys.stderr),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("replaying", total=None)
        yield lambda total: bar.update(task, total=total), lambda count: bar.advance(task, count)


# for people


def _show(answer: Answer, limit: int) -> None:
    totals = answer.totals
    heading(_summary(totals))
    if not totals.rows:
        return
    print_rows(
        ("What", "Comes", "Goes", "Earlier", "Later"),
        [
            (f"{kind.value} {name.replace('_', ' ')}", tally.comes, tally.goes, *_moves(tally))
            for (kind, name), tally in totals.rows.items()
        ],
    )
    if not answer.differences:
        return
    heading(_whose(len(answer.differences), totals.customers_touched, limit), level=2)
    for each in answer.differences:
        say(f"{each.customer}: {_count(len(each.changes), 'difference')}", style="bold")
        print_rows(
            ("Invoice", "What", "", "Old", "New"),
            [
                (change.case, _title(change), _way(change), _at(change.before), _at(change.after))
                for change in each.changes
            ],
        )


def _summary(totals: Totals) -> str:
    untouched = totals.cases - totals.cases_touched
    if not totals.cases:
        return "There are no cases to replay."
    if not totals.cases_touched:
        return f"Nothing differs in {_count(totals.cases, 'case')}."
    return (
        f"{totals.cases_touched} of {_count(totals.cases, 'case')} differ, "
        f"of {_count(totals.customers_touched, 'customer')}; {untouched} are untouched."
    )


def _whose(shown: int, touched: int, limit: int) -> str:
    if shown == touched:
        return "By customer"
    return f"By customer: the {limit} with the most differences, of {touched} (--limit shows more)"


def _moves(tally: Tally) -> tuple[str, str]:
    return _moved(tally.earlier, tally.earlier_by), _moved(tally.later, tally.later_by)


def _moved(number: int, by: timedelta) -> str:
    return f"{number}, by {span(by / number)} on average" if number else "0"


def _title(change: Change) -> str:
    from console.words import step_title

    return step_title(change.key)


def _way(change: Change) -> str:
    if change.way is not Way.MOVES:
        return change.way.value
    return f"{span(abs(change.by))} {'later' if change.by > timedelta(0) else 'earlier'}"


def _at(moment: datetime | None) -> str:
    return stamp(moment) if moment else "-"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


# for scripts


def _as_json(answer: Answer) -> dict[str, Any]:
    totals = answer.totals
    return {
        "cases": totals.cases,
        "cases_untouched": totals.cases - totals.cases_touched,
        "customers": totals.customers,
        "customers_touched": totals.customers_touched,
        "totals": [
            {"kind": kind, "name": name} | _tally(tally) for (kind, name), tally in totals.rows.items()
        ],
        "differences": [_difference(each) for each in answer.differences],
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "comes": tally.comes,
        "goes": tally.goes,
        "earlier": tally.earlier,
        "later": tally.later,
        "earlier_by_seconds": int(tally.earlier_by.total_seconds()),
        "later_by_seconds": int(tally.later_by.total_seconds()),
    }


def _difference(found: Difference) -> dict[str, Any]:
    return {"customer": found.customer, "cases": found.cases, "changes": [_change(c) for c in found.changes]}


def _change(change: Change) -> dict[str, Any]:
    return {
        "key": change.key,
        "kind": change.kind,
        "name": change.name,
        "case": change.case,
        "way": change.way,
        "old": change.before,
        "new": change.after,
        "by_seconds": int(change.by.total_seconds()),
    }
