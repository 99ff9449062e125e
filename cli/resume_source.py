"""`dunning customer resume-source`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.batches import in_batches
from cli.database import read
from cli.nudging import nudge
from cli.output import CommandError, Json, print_json
from cli.saying import By, DryRun, Why
from cli.tables import say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from worker.usecases.reopen_source import Taken

# Of those who are left to a person, so many are named.
SHOWN = 20


def resume_source(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="As `dunning reconcile --list` has it (stripe:acct_1Nx)."),
    ],
    why: Why,
    by: By = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Go on with everybody who was excluded because their connected account had disconnected.

    \b
    What was paid meanwhile has to be known first: a comparison with the account must
    have come to its end since. Whoever is excluded, paused, stopped or handed over for
    another reason as well is left as they are, and named. After an interruption, say
    it again.

    \b
    Examples:
      dunning customer resume-source stripe:acct_1Nx --why "connected again" --dry-run
      dunning customer resume-source stripe:acct_1Nx --why "connected again"
    """
    from settings.logging import configure

    settings = load(ToolSettings)
    configure("command", settings.log_format, "warning")
    taken = _resume(settings, _left_alone(settings, source), by, why, dry_run=dry_run, quiet=json)
    resumed = sum(each.resumed for each in taken)
    left = [each.customer for each in taken if not each.resumed]
    if json:
        print_json({"dry_run": dry_run, "resumed": resumed, "left": left})
    else:
        _print(source, resumed, left, dry_run=dry_run)


def _left_alone(settings: ToolSettings, source: str) -> list[int]:
    from worker.usecases.reopen_source import NotComparedError, left_alone

    async def find(connection: AsyncConnection) -> list[int]:
        return await left_alone(connection, source)

    try:
        return read(settings, find)
    except NotComparedError as error:
        raise CommandError(
            f"{source} has not been compared with since it disconnected: nobody knows who has paid.",
            f"Run `dunning reconcile --source {source}`, to its end.",
        ) from error


def _resume(
    settings: ToolSettings, ids: Sequence[int], by: str, why: str, *, dry_run: bool, quiet: bool
) -> list[Taken]:
    from worker.policy import policy
    from worker.usecases.instruct import RefusedError
    from worker.usecases.reopen_source import resume

    rules, zone, now = policy(settings), settings.timezone, datetime.now(UTC)

    async def work(connection: AsyncConnection, batch: Sequence[int]) -> tuple[Sequence[int], list[Taken]]:
        return batch, await resume(connection, batch, by=by, why=why, policy=rules, zone=zone, now=now)

    taken = []
    try:
        for batch, done in in_batches(settings, ids, work, dry_run=dry_run, quiet=quiet):
            if not dry_run:
                nudge(settings, batch)
            taken += done
    except RefusedError as error:
        raise CommandError(str(error)) from error
    return taken


def _print(source: str, resumed: int, left: Sequence[str], *, dry_run: bool) -> None:
    if not resumed and not left:
        say(f"Nobody of {source} is excluded because it had disconnected.")
        return
    if dry_run:
        say("Only tried, nothing was changed. It would be:", style="bold")
    say(f"{resumed:,} customer{'s' if resumed != 1 else ''} of {source} resumed.")
    if left:
        more = f" and {len(left) - SHOWN:,} more (--json has all)" if len(left) > SHOWN else ""
        say(f"{len(left):,} left, since something else holds: {', '.join(left[:SHOWN])}{more}.")
        say("`dunning customer resume CUSTOMER` ends that as well.")
