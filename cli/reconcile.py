"""`dunning reconcile`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli.database import run
from cli.output import Json, print_json
from cli.saying import DryRun
from settings import ImportSettings, load

LEFT = 3  # exit code
_SPAN = re.compile(r"(\d{1,4})([hd])")


def _moment(given: str) -> datetime:
    """`2h` or `3d` ago, or a moment in UTC."""
    now = datetime.now(UTC)
    if span := _SPAN.fullmatch(given.strip()):
        moment = now - timedelta(**{"hours" if span[2] == "h" else "days": int(span[1])})
    else:
        try:
            moment = datetime.fromisoformat(given)
        except ValueError as error:
            raise typer.BadParameter("give 2h, 3d, 2026-11-20 or 2026-11-20T08:00") from error
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > now:
        raise typer.BadParameter("lies ahead")
    return moment


def command(
    source: Annotated[
        str | None,
        typer.Option(
            "--source", metavar="NAME", help="Whom to ask, where there are several: stripe, commet."
        ),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="Events from then on: 2h, 3d, or a moment in UTC.")
    ] = "3d",
    events_only: Annotated[
        bool, typer.Option("--events-only", help="Leave out what needs no event: compare nothing.")
    ] = False,
    standing: Annotated[
        bool, typer.Option("--list", help="Ask nobody: when it was done last, and what still differs.")
    ] = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Ask for everything, take in what never arrived, mend what differs. docs/reconcile.md

    Workers do it by themselves: events hourly, everything nightly. By hand it is
    for after an outage, a wrong signing secret, a disabled endpoint. What has
    happened is heard of once, in its own time. Interrupted, say it again. Stripe
    keeps events for 30 days; the comparison of subscriptions and open invoices
    also finds what is older, or never was an event. Commet lists no events, so
    that what is open is compared instead.

    \b
    Exit codes:
      0   all is as it says there, or was put right
      1   it could not be done, or another one is under way
      2   wrong usage or settings
      3   something is left for a person; with --dry-run: anything differs

    \b
    Examples:
      dunning reconcile --dry-run    what is missing of three days, what differs
      dunning reconcile --since 2h --events-only
      dunning reconcile --since 2026-11-20T08:00 --json
      dunning reconcile --list       what still differs, and since when
    """
    from cli import reconcile_run, reconcile_views
    from settings.logging import configure

    try:
        begin = _moment(since)
    except typer.BadParameter as error:
        raise typer.BadParameter(str(error), param_hint="--since") from error
    settings = load(ImportSettings)
    configure("reconcile", settings.log_format, "warning")
    whom = reconcile_run.source_of(settings, source)
    if standing:
        done = run(reconcile_run.standing(settings, whom))
        print_json(done) if json else reconcile_views.print_standing(done)
        raise typer.Exit(LEFT if done.differences else 0)
    if dry_run:
        tried = run(reconcile_run.rehearse(settings, whom, begin, events_only=events_only))
        print_json(tried) if json else reconcile_views.print_tried(tried)
        raise typer.Exit(LEFT if tried.anything else 0)
    found = run(reconcile_run.reconcile(settings, whom, begin, events_only=events_only))
    print_json(found) if json else reconcile_views.print_found(found)
    raise typer.Exit(LEFT if found.left else 0)
