"""`dunning dead`: events that were given up."""

from __future__ import annotations

import json as jsons
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import read, write
from cli.output import CommandError, Json, print_json, print_table
from cli.saying import By, Why
from cli.tables import say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from db.dead import DeadEvent

app = typer.Typer(no_args_is_help=True, add_completion=False)

Events = Annotated[list[str] | None, typer.Argument(metavar="EVENT", help="The provider's id: evt_123.")]


@app.callback()
def root() -> None:
    """Events that could not be applied after five tries: look at them, try them again, put them away.

    None of them holds anything else up, and nothing of them is deleted.
    """


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50, json: Json = False
) -> None:
    """List them, the latest on top, with the error of their last try. Exit code 1 when there are any.

    \b
    Examples:
      dunning dead list
      dunning dead list --json | jq -r '.[].last_error' | sort | uniq -c
    """
    from db import dead

    async def work(connection: AsyncConnection) -> list[DeadEvent]:
        return await dead.read(connection, limit)

    found = read(load(ToolSettings), work)
    if json:
        print_json(found)
    else:
        print_table(
            ["Event", "Type", "Received", "Tries", "Why"],
            [[each.event_id, each.type, each.received_at, each.attempts, each.last_error] for each in found],
            empty="No event was given up.",
        )
    raise typer.Exit(1 if found else 0)


@app.command()
def show(event: Annotated[str, typer.Argument(metavar="EVENT", help="evt_123")]) -> None:
    """Print the body of one as it came: it may hold names and addresses.

    \b
    Example:
      dunning dead show evt_123 | jq .data.object.status
    """
    from db import dead

    async def work(connection: AsyncConnection) -> bytes | None:
        return await dead.payload(connection, event)

    body = read(load(ToolSettings), work)
    if body is None:
        raise CommandError(f"{event} was not given up.", "`dunning dead list` has those that were.")
    try:
        print_json(jsons.loads(body))
    except ValueError:
        # What is no JSON may be the very reason.
        typer.echo(body.decode("utf-8", "replace"))


@app.command()
def retry(
    events: Events = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
    json: Json = False,
) -> None:
    """Try events once more, five times at most, as if they had come now: after a mended fault, for example.

    What has happened since is not undone: each event counts by its own time.

    \b
    Examples:
      dunning dead retry evt_123
      dunning dead retry --all
    """
    if bool(events) == everything:
        raise CommandError("Which ones?", "Name events, or say --all.")
    from db import dead

    again = write(load(ToolSettings), lambda connection: dead.retry(connection, events or None))
    _check(again, events)
    _done(json, "retried", again, "is tried again" if len(again) == 1 else "are tried again")


@app.command()
def discard(
    events: Annotated[list[str], typer.Argument(metavar="EVENT", help="evt_123")],
    why: Why,
    by: By = "",
    json: Json = False,
) -> None:
    """Put events away that need not be applied: they are kept, but no longer counted or listed.

    \b
    Example:
      dunning dead discard evt_123 --why "made by hand in a test, of no customer"
    """
    from db import dead

    note = f"discarded by {by}: {why}"
    gone = write(load(ToolSettings), lambda connection: dead.discard(connection, events, note))
    _check(gone, events)
    _done(json, "discarded", gone, "is put away" if len(gone) == 1 else "are put away")


def _check(done: Sequence[int], events: Sequence[str] | None) -> None:
    if events and not done:
        raise CommandError("None of them was given up.", "`dunning dead list` has those that were.")


def _done(json: bool, what: str, rows: Sequence[int], says: str) -> None:
    if json:
        print_json({what: len(rows)})
    else:
        say(f"{len(rows)} event{'' if len(rows) == 1 else 's'} {says}.")
