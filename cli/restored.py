"""`dunning restored`: after the database was brought back from a backup."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import read, write
from cli.moments import stamp
from cli.output import CommandError, Json, print_json, print_table
from cli.saying import By, DryRun, tried
from cli.tables import say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from db.restores import Doubtful
    from dunning.restoring import Gap

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def root() -> None:
    """After the database was brought back from a backup. docs/restore.md

    What customers were mailed since that backup is forgotten, and would be sent
    once more. `mark` it before anything is started again: what was due in between
    counts as perhaps sent, and is listed instead.
    """


@app.command()
def mark(
    backup_taken: Annotated[
        datetime | None,
        typer.Option(
            "--backup-taken",
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
            help="When, in UTC; by default the newest sign of life in the database.",
        ),
    ] = None,
    by: By = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Say that this database is a backup, before any worker or scheduler is started.

    \b
    Then start everything: workers ask Stripe at once for what has happened since,
    and compare everything. No customer is mailed again what they may have.

    \b
    Exit codes:
      0   it is written down; start everything
      1   processes are running, or the database cannot be used
      2   wrong usage or settings

    \b
    Examples:
      dunning restored mark
      dunning restored mark --backup-taken 2026-11-27T03:00
    """
    from worker.usecases.restored import restored

    now = datetime.now(UTC)

    async def work(connection: AsyncConnection) -> tuple[Gap, int]:
        gap = await _gap(connection, backup_taken.replace(tzinfo=UTC) if backup_taken else None, now)
        return gap, await restored(connection, gap, by)

    settings = load(ToolSettings)
    gap, waiting = write(settings, tried(work) if dry_run else work)
    if json:
        print_json(
            {"backup_taken": gap.began_at, "restored": gap.ended_at, "doubtful": waiting, "dry_run": dry_run}
        )
        return
    say(f"The backup is of {stamp(gap.began_at)}: what has happened since is unknown here.")
    say(f"{waiting} mails and charges waited then, and count as perhaps sent.")
    say(
        "Only tried, nothing was changed."
        if dry_run
        else "Start everything now. `dunning restored list` has what nobody knows of, now and later."
    )


async def _gap(connection: AsyncConnection, given: datetime | None, now: datetime) -> Gap:
    from db import heartbeats, restores
    from dunning.restoring import Gap

    alive = [each.process for each in await heartbeats.read(connection) if each.alive]
    if alive:
        raise CommandError(
            f"{len(alive)} of our processes are running: they may send what was sent before.",
            "Stop every worker and scheduler, wait twenty seconds, and say it again.",
        )
    began_at = given or await restores.last_life(connection)
    if began_at is None:
        raise CommandError("This database is empty: there is nothing to mark.")
    if began_at > now + timedelta(minutes=1):
        raise CommandError("--backup-taken lies ahead.")
    return Gap(began_at, now)


@app.command("list")
def list_(json: Json = False) -> None:
    """Mails and charges of which nobody knows whether they were sent. Exit code 1 when there are any.

    \b
    What your mail service has told of since is left out. Ask its log for the others;
    `dunning case resend CASE` sends what did not arrive.
    """
    from db import restores

    async def work(connection: AsyncConnection) -> list[Doubtful]:
        return await restores.doubtful(connection)

    found = read(load(ToolSettings), work)
    if json:
        print_json(found)
    else:
        print_table(
            ["Customer", "Case", "What", "Due"],
            [[each.customer, each.case, each.step, each.at] for each in found],
            empty="Nothing is doubtful.",
        )
    raise typer.Exit(1 if found else 0)
