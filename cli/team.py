"""`dunning team`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from cli.output import CommandError, Json, print_json
from cli.tables import print_rows
from settings import WorkerSettings, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emails.delivery import Delivery

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def root() -> None:
    """The people who are called when a case wants a person: see docs/team.md."""


@app.command(name="test")
def try_out(json: Json = False) -> None:
    """Send a test message by every channel, and print which took it. Exit code 1 if one did not.

    Run it with the settings of the worker.

    \b
    Example:
      dunning team test
    """
    from settings.logging import configure
    from worker.build import check

    settings = load(WorkerSettings)
    check(settings)
    configure("command", settings.log_format, "error")
    names = settings.ways_to_the_team
    if not names:
        hint = "Set DUNNING_TEAM_EMAIL, DUNNING_TEAM_WEBHOOK_URL or DUNNING_TEAM_CHANNELS."
        raise CommandError("The team has no channel: nobody would be called.", hint)
    answers = asyncio.run(_try(settings, names))
    rows = [(name, why is None, why) for name, why in ((name, _why_not(answers[name])) for name in names)]
    if json:
        print_json([{"channel": name, "taken": taken, "why": why} for name, taken, why in rows])
    else:
        print_rows(["Channel", "Took it", "Why not"], rows)
    raise typer.Exit(0 if all(taken for _, taken, _ in rows) else 1)


async def _try(settings: WorkerSettings, names: tuple[str, ...]) -> Mapping[str, Delivery]:
    from worker.build import courier
    from worker.usecases.try_channels import try_channels

    return await try_channels(courier(settings), names, datetime.now(UTC))


def _why_not(answer: Delivery) -> str | None:
    """None: it was taken."""
    from emails.delivery import Accepted, Unanswered

    if isinstance(answer, Accepted):
        return None
    if isinstance(answer, Unanswered):
        return "no answer: it may have arrived"
    code = f"{answer.code}: " if answer.code else ""
    return f"{code}{answer.text}"
