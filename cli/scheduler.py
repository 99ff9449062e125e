"""`dunning scheduler`."""

from typing import Annotated

import typer

from cli.overrides import environment
from settings import SchedulerSettings, load


def command(
    tick: Annotated[
        float | None,
        typer.Option(help="Seconds between two looks, instead of DUNNING_TICK_SECONDS.", metavar="SECONDS"),
    ] = None,
) -> None:
    """Look for due work and hand it to the workers. Run two: one works at a time, the other stands by.

    \b
    Examples:
      dunning scheduler
      dunning scheduler --tick 5       for a small database
    """
    settings = load(SchedulerSettings, env=environment(DUNNING_TICK_SECONDS=tick))
    from settings.logging import configure
    from worker.schedule import run

    configure("scheduler", settings.log_format, settings.log_level)
    raise typer.Exit(run(settings))
