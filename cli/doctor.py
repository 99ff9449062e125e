"""`dunning doctor`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import CommandError, Json, print_json
from cli.tables import heading, say
from settings import (
    ApiSettings,
    PortalSettings,
    ReceiverSettings,
    SchedulerSettings,
    WorkerSettings,
    given,
)

if TYPE_CHECKING:
    from console.doctor.finding import Finding
    from settings.field import Settings

PROCESSES: Mapping[str, type[Settings]] = {
    "receiver": ReceiverSettings,
    "worker": WorkerSettings,
    "scheduler": SchedulerSettings,
    "api": ApiSettings,
    "portal": PortalSettings,
}

STYLES = {"fault": "bold red", "risk": "yellow", "note": "cyan", "good": "green"}
FAULTS, RISKS = ("fault",), ("fault", "risk")


def command(
    process: Annotated[
        list[str] | None,
        typer.Option("--for", metavar="PROCESS", help="Whose settings: all of them if not told. Repeatable."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="AREA",
            help="Look at this alone: database, redis, rabbitmq, systems, stripe, commet, habits, mail, "
            "results, sender, team, page.",
        ),
    ] = None,
    dkim_selector: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What your DKIM key is called, if it is not found by itself."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for risks, too.")] = False,
    json: Json = False,
) -> None:
    """Look for what will go wrong: each finding with its risk and its cure. Nothing is changed or sent.

    \b
    Looks at the settings of every process; PostgreSQL (does it keep what it
    commits?); Redis (does it throw wake-ups away?) or RabbitMQ (does it take
    any?); billing systems (can those be asked that have to be?); Stripe and
    Commet (what may the key read, which events does the webhook endpoint hear?);
    the mail server and the sender's domain; the team; the customers' page; and
    at what Stripe has done so far, to learn what no API tells: how long it
    retries, and what it does at the end.

    \b
    Exit codes:
      0  nothing that must be put right (with --strict: no risks either)
      1  something must be put right

    \b
    Examples:
      dunning doctor
      dunning doctor --strict --json              in CI, before a deployment
      dunning doctor --for receiver --only redis  where only the receiver runs
    """
    findings = _examine(process or [], only or [], dkim_selector)
    bad = [each for each in findings if each.level in (RISKS if strict else FAULTS)]
    if json:
        print_json({"ok": not bad, "findings": [asdict(each) for each in findings]})
    else:
        _print(findings)
    raise typer.Exit(1 if bad else 0)


def _examine(processes: Sequence[str], only: Sequence[str], selector: str | None) -> list[Finding]:
    from rich.progress import Progress

    from cli.output import console
    from console.doctor.doctor import examine, looks
    from console.doctor.values import Values

    known = looks(selector=selector)
    _check_names(processes, PROCESSES, "--for")
    _check_names(only, known, "--only")
    chosen = {name: look for name, look in known.items() if not only or name in only}
    wanted = {name: PROCESSES[name] for name in processes or _expected()}
    with Progress(console=console(sys.stderr), transient=True) as progress:
        bar = progress.add_task("Looking", total=len(chosen))
        return asyncio.run(examine(Values(), wanted, chosen, lambda _: progress.advance(bar)))


def _expected() -> list[str]:
    """Whoever has no page for customers starts no portal."""
    return [name for name in PROCESSES if name != "portal" or "DUNNING_PORTAL_URL" in given()]


def _check_names(names: Sequence[str], known: Mapping[str, object], option: str) -> None:
    for name in names:
        if name not in known:
            raise CommandError(f"{option} knows no {name}.", f"It knows {', '.join(known)}.")


def _print(findings: Sequence[Finding]) -> None:
    heading("Doctor")
    for each in findings:
        say(f"{each.area}: {each.said}", style=STYLES[each.level], label=f"{each.level:<6}")
        if each.risk:
            say(each.risk, indent=8)
        if each.cure:
            say(each.cure, indent=8, label="→ ")
    counted = [
        f"{number} {level}{'s' if number > 1 else ''}"
        for level in ("fault", "risk", "note")
        if (number := sum(each.level == level for each in findings))
    ]
    say("")
    say(", ".join(counted) + "." if counted else "All is well.")
