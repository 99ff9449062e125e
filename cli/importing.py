"""`dunning import`: take over a running business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import read, run
from cli.output import Json, print_json
from cli.saying import DryRun
from cli.tables import say
from settings import ImportSettings, ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from db.imports import Import

# Reads a second. Stripe allows 100 in live mode and 25 in a sandbox, of which others want some.
RATE = 20.0

app = typer.Typer(no_args_is_help=True, help="Take over a running business.")

Rate = Annotated[
    float, typer.Option(min=0.1, max=100, metavar="READS", help="Ask Stripe so often a second, at most.")
]


@app.command()
def stripe(
    rate: Rate = RATE,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew instead of going on where the last one stopped.")
    ] = False,
    source: Annotated[
        str,
        typer.Option(
            metavar="SOURCE", help="Of which account: stripe:NAME of STRIPE_ACCOUNTS, or a connected one."
        ),
    ] = "stripe",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Take over all subscriptions, open invoices and failed charges from Stripe. docs/import.md

    \b
    Nothing is sent from here. Workers send later: first mails are spread over three days.
    After an interruption say it again: it goes on where it stopped. What is known is not
    changed by older readings, so it may run while webhooks arrive, and again at any time.

    \b
    Examples:
      dunning import stripe --dry-run     who would be told what, and when; writes nothing
      dunning import stripe
      dunning import stripe --source stripe:de
      dunning import status
    """
    from cli.import_run import rehearse, take_over
    from cli.import_views import print_rehearsal, print_run
    from settings.logging import configure

    settings = load(ImportSettings)
    configure("import", settings.log_format, "warning")
    if dry_run:
        print_rehearsal(run(rehearse(settings, source, rate)), json=json)
        return
    done = run(take_over(settings, source, rate, restart=restart))
    if json:
        print_json(done)
    else:
        print_run(done)


@app.command()
def status(json: Json = False) -> None:
    """Show how far imports have come, the newest first."""
    from cli.import_views import print_run
    from db.imports import newest

    async def work(connection: AsyncConnection) -> list[Import]:
        return await newest(connection, most=5)

    found = read(load(ToolSettings), work)
    if json:
        print_json(found)
        return
    if not found:
        say("Nothing was imported yet.")
    for each in found:
        print_run(each)
