"""`dunning breaker`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.database import read, write
from cli.moments import stamp, when
from cli.output import CommandError, Json, print_json
from cli.tables import heading, print_pairs, say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from db.breaker import Tripped
    from dunning.breaker import Failures, Limits, Revocations

app = typer.Typer(add_completion=False)


def _not_empty(given: str) -> str:
    if not (words := given.strip().rstrip(".")):
        raise typer.BadParameter("must not be empty: somebody will want to know")
    return words


By = Annotated[str, typer.Option("--by", help="Who wants it so.", metavar="NAME", callback=_not_empty)]
Why = Annotated[
    str, typer.Option("--why", help="For whoever asks later.", metavar="TEXT", callback=_not_empty)
]


@app.callback(invoke_without_command=True)
def show(context: typer.Context, json: Json = False) -> None:
    """Is everything held back, and how near are the limits? Exit code 1 while the breaker is tripped.

    While it is, customers get no mail but receipts, nobody's access is taken and nothing is charged.

    \b
    Examples:
      dunning breaker
      dunning breaker trip --by maria --why "the new price list is wrong"
      dunning breaker release --by maria --why "the outage is over"
    """
    if context.invoked_subcommand:
        return
    settings = load(ToolSettings)
    from db import breaker
    from worker.breaker import limits

    async def work(connection: AsyncConnection) -> tuple[Tripped | None, Failures, Revocations]:
        return (
            await breaker.tripped(connection),
            await breaker.failures(connection),
            await breaker.revocations(connection),
        )

    held, failed, revoked = read(settings, work)
    if json:
        print_json({"tripped": plain(held), "failures": failed, "revocations": revoked})
    else:
        _print(held, failed, revoked, limits(settings))
    raise typer.Exit(1 if held else 0)


@app.command()
def trip(by: By, why: Why, json: Json = False) -> None:
    """Hold everything back by hand, from now until somebody releases it; your team is called.

    \b
    Example:
      dunning breaker trip --by maria --why "the new price list is wrong"
    """
    from db import breaker

    async def work(connection: AsyncConnection) -> tuple[bool, Tripped | None]:
        return await breaker.trip(connection, why, by=by), await breaker.tripped(connection)

    done, held = write(load(ToolSettings), work)
    if not done and held:
        raise CommandError(f"The breaker has been tripped since {stamp(held.at)}: {held.reason}.")
    if json:
        print_json({"tripped": plain(held)})
        return
    say("The breaker is tripped. `dunning breaker release` lets go of what waits.")


@app.command()
def release(by: By, why: Why, json: Json = False) -> None:
    """Let go of what is held back: what is still due goes out within minutes.

    What has failed until now is no surge any more: the count begins anew.

    \b
    Example:
      dunning breaker release --by maria --why "the outage is over"
    """
    from db import breaker

    async def work(connection: AsyncConnection) -> Tripped | None:
        return await breaker.release(connection, by=by, why=why)

    held = write(load(ToolSettings), work)
    if held is None:
        raise CommandError("The breaker is not tripped: nothing is held back.")
    if json:
        print_json({"released": plain(held)})
        return
    say(f"Released. It had been tripped since {stamp(held.at)}: {held.reason}.")


def plain(held: Tripped | None) -> dict[str, Any] | None:
    """What holds everything back, for machines."""
    return {"at": held.at, "by": held.by, "reason": held.reason} if held else None


def _print(held: Tripped | None, failed: Failures, revoked: Revocations, limits: Limits | None) -> None:
    now = datetime.now(UTC)
    heading("The breaker is tripped" if held else "Nothing is held back")
    if held:
        print_pairs([("Since", when(held.at, now)), ("By", held.by or "the scheduler"), ("Why", held.reason)])
        say("No mails but receipts, no access taken, no charges of ours.", indent=2)
    heading("Within an hour", level=2)
    print_pairs(
        [
            ("Failed charges", f"{failed.hour}, as usual {failed.usual:.1f}"),
            ("Processing errors", failed.processing_errors),
            ("Access taken", f"{revoked.hour}, within a day {revoked.day}, of {revoked.base} who have some"),
        ]
    )
    heading("Limits", level=2)
    if limits is None:
        say("None: DUNNING_BREAKER is off.", indent=2)
        return
    share, floor = f"{limits.processing_error_share:.0%}", limits.surge_floor
    cap = f"{limits.revocations_per_hour} an hour, {limits.revocations_per_day_share:.1%} of the base a day"
    print_pairs(
        [
            ("Failed charges", f"{floor}, or {limits.surge_factor:g} times as usual"),
            ("Processing errors", f"{share} from {floor} failures on"),
            ("Access taken", cap if limits.revocations_per_hour else "as often as it is due"),
        ]
    )
