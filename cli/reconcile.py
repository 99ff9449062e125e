"""`dunning reconcile`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import run
from cli.moments import stamp
from cli.output import CommandError, Json, console, print_json, print_table
from cli.saying import DryRun
from cli.tables import say
from settings import ImportSettings, load

if TYPE_CHECKING:
    from worker.reconciling import Reconciled

RATE = 20.0  # reads a second
LONGEST = 30  # days that Stripe keeps its events


def command(
    days: Annotated[int, typer.Option("--days", min=1, max=LONGEST, help="How far back to look.")] = 3,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="The same as a moment, in UTC."),
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Ask Stripe for all its events and take in those that never arrived.

    \b
    After an outage, a wrong signing secret, an endpoint that was disabled or a
    restored backup: what has happened since is heard of once, in its own time.
    Whatever arrives later as well changes nothing. Stripe keeps events for 30
    days; `dunning import stripe` reads what is older as it stands today.

    \b
    Examples:
      dunning reconcile --dry-run              what is missing of the last three days
      dunning reconcile --days 30
      dunning reconcile --since 2026-11-20T08:00 --json
    """
    begin = since.replace(tzinfo=UTC) if since else datetime.now(UTC) - timedelta(days=days)
    found = run(_reconcile(load(ImportSettings), begin, store=not dry_run))
    if json:
        print_json({"since": begin, "listed": found.listed, "missed": found.missed, "oldest": found.oldest})
        return
    _print(found, begin, dry_run=dry_run)


async def _reconcile(settings: ImportSettings, begin: datetime, *, store: bool) -> Reconciled:
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from db.session import create_engine
    from providers.lookup import ProviderUnavailableError
    from providers.pacing import Pace
    from providers.stripe_client import RefusedError
    from providers.stripe_listing import PacedApi
    from worker.reconciling import reconcile

    key, base = settings.stripe_api_key.get_secret_value(), settings.stripe_api_base
    engine = create_engine(settings.database_url_sqlalchemy, name="reconcile", pool_size=2)
    columns = TextColumn("{task.description}"), TimeElapsedColumn()
    try:
        with Progress(*columns, console=console(sys.stderr), transient=True) as shown:
            task = shown.add_task("Asking Stripe", total=None)
            return await reconcile(
                engine,
                PacedApi(key, Pace(RATE), api_base=base),
                begin,
                store=store,
                told=lambda found: shown.update(task, description=f"{found.listed:,} events"),
            )
    except ProviderUnavailableError as error:
        raise CommandError(f"Stripe cannot be asked: {error}.", "It is safe to say it again.") from error
    except RefusedError as error:
        raise CommandError(f"Stripe refuses: {error.code}.", "Is --since within the last 30 days?") from error
    finally:
        await engine.dispose()


def _print(found: Reconciled, begin: datetime, *, dry_run: bool) -> None:
    missed = found.missed.total()
    say(f"{found.listed:,} events since {stamp(begin)}, {missed:,} of them never heard of.")
    if not missed:
        return
    print_table(["Event", "Missed"], found.missed.most_common())
    oldest = f" The oldest is of {stamp(found.oldest)}." if found.oldest else ""
    say(("Nothing was written." if dry_run else "They are taken in now.") + oldest)
