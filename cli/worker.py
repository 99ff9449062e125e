"""`dunning worker`."""

from typing import Annotated

import typer

from cli.overrides import environment
from settings import WorkerSettings, load


def command(
    queues: Annotated[
        str | None,
        typer.Option(
            help="Serve these queues instead of DUNNING_WORKER_QUEUES: events, cases, mail, team, billing, "
            "webhooks.",
            metavar="A,B",
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Messages at the same time, instead of DUNNING_WORKER_THREADS.")
    ] = None,
) -> None:
    """Apply events, advance cases, send mail. Finishes what it holds on SIGTERM and Ctrl-C, then exits 0.

    \b
    Examples:
      dunning worker                                       all queues
      dunning worker --queues events,cases                 what must be quick
      dunning worker --queues mail,team,billing,webhooks   what may wait
    """
    settings = load(
        WorkerSettings, env=environment(DUNNING_WORKER_QUEUES=queues, DUNNING_WORKER_THREADS=threads)
    )
    from settings.logging import configure
    from worker.main import run

    configure("worker", settings.log_format, settings.log_level)
    raise typer.Exit(run(settings))
