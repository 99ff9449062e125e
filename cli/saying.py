"""How commands hand an instruction on: options they have in common, the transaction, and what is printed."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cli.customers import AmbiguousError
from cli.database import write
from cli.moments import when
from cli.nudging import nudge
from cli.output import CommandError, print_error, print_json
from cli.tables import say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from console.effect import Effect
    from db.lookups import Found
    from dunning.requests import Request

T = TypeVar("T")

# Of what is held back, and of what comes, a person is shown so much.
SHOWN = 3


def _somebody(given: str | None) -> str:
    if given and given.strip():
        return given.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise typer.BadParameter("this user has no name here: say who it is") from error


By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Who says so; by default your login name.",
        callback=_somebody,
    ),
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="For whoever asks later.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what it would come to, and change nothing.")]
Until = Annotated[
    datetime | None,
    typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="To the end of that day, in your time zone."),
]
Days = Annotated[int | None, typer.Option(metavar="N", min=1, help="The same in days from now.")]


def a_day(until: datetime | None, days: int | None) -> dict[str, Any]:
    """`--until` or `--days` as a request takes them; not both."""
    if until and days:
        raise typer.BadParameter("give --until or --days, not both")
    day: date | None = until.date() if until else None
    return {"until": day, "span": timedelta(days=days) if days else None}


def give(
    find: Callable[[AsyncConnection], Awaitable[Found]], request: Request, *, json: bool, dry_run: bool
) -> None:
    """Give an instruction for the customer that `find` finds, and print what then holds.

    Exit code 1 with the reason when it is refused, 2 when several customers fit.
    """
    from settings.logging import configure

    settings = load(ToolSettings)
    configure("command", settings.log_format, "warning")
    try:
        customer_id, effect, at = _give(settings, find, request, dry_run=dry_run)
    except AmbiguousError as error:
        print_error("Which one?", str(error), error.hint)
        raise typer.Exit(2) from error
    if not dry_run:
        nudge(settings, [customer_id])
    if json:
        print_json(as_json(effect, dry_run=dry_run))
    else:
        show(effect, at, dry_run=dry_run)


def _give(
    settings: ToolSettings,
    find: Callable[[AsyncConnection], Awaitable[Found]],
    request: Request,
    *,
    dry_run: bool,
) -> tuple[int, Effect, datetime]:
    from console.giving import give as giving
    from worker.policy import policy
    from worker.usecases.instruct import RefusedError

    rules, zone, now = policy(settings), settings.timezone, datetime.now(UTC)

    async def work(connection: AsyncConnection) -> tuple[int, Effect, datetime]:
        found = await find(connection)
        effect, at = await giving(connection, found.id, request, policy=rules, zone=zone, now=now)
        return found.id, effect, at

    try:
        return write(settings, tried(work) if dry_run else work)
    except RefusedError as error:
        raise CommandError(str(error)) from error


def tried(work: Callable[[AsyncConnection], Awaitable[T]]) -> Callable[[AsyncConnection], Awaitable[T]]:
    """The same work, of which nothing stays."""

    async def undone(connection: AsyncConnection) -> T:
        async with connection.begin_nested() as trial:
            result = await work(connection)
            await trial.rollback()
        return result

    return undone


def as_json(effect: Effect, *, dry_run: bool) -> dict[str, Any]:
    """For scripts."""
    from dataclasses import asdict

    return {"dry_run": dry_run, **asdict(effect)}


def show(effect: Effect, at: datetime, *, dry_run: bool) -> None:
    """What holds, what is held back and what comes next; `at` is the customer's time."""
    if dry_run:
        say("Only tried, nothing was changed. It would be:", style="bold")
    say(effect.holds)
    held = [item.title for item in effect.withheld]
    if held:
        say(f"Held back: {_listed(held)}.")
    steps = [f"{step.title} at {when(step.at, at)}" for step in effect.coming]
    say(f"Next, if nobody pays: {_listed(steps)}." if steps else "Nothing comes next by itself.")


def _listed(texts: list[str]) -> str:
    more = len(texts) - SHOWN
    return "; ".join(texts[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
