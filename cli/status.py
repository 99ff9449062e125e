"""`dunning status`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer

from cli.breaker import plain as breaker
from cli.database import read
from cli.moments import span
from cli.output import Json, print_json
from cli.tables import heading, print_pairs, print_rows, say
from settings import ToolSettings, load

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from console.status import Status
    from db.heartbeats import Heartbeat
    from worker.lengths import QueueLength


def command(json: Json = False) -> None:
    """Show what is alive, waiting, late and dead. Exit code 1 when something is wrong.

    \b
    Wrong is: a tripped breaker, no living worker for a queue, no living scheduler, the
    broker away, work that nobody takes up for a minute, events that were given up,
    customers who pay and are locked out, an endpoint that was switched off,
    personal data that is kept longer than it should.

    \b
    Examples:
      dunning status
      watch -n 2 dunning status
      dunning status --json | jq .problems
    """
    status = _look(load(ToolSettings))
    if json:
        print_json(_plain(status))
    else:
        _print(status)
    raise typer.Exit(1 if status.problems else 0)


def _look(settings: ToolSettings) -> Status:
    from console.status import assess
    from db import heartbeats, mismatches, totals
    from db import status as counts
    from worker.lengths import lengths
    from worker.queues import broker_name

    url = settings.known_queue_url
    queues = lengths(url) if url else None

    async def work(connection: AsyncConnection) -> Status:
        return assess(
            await counts.read(connection),
            await heartbeats.read(connection),
            queues,
            totals=await totals.read(connection),
            access=await totals.access(connection),
            mismatches=await mismatches.read(connection),
            broker=broker_name(url) if url else None,
        )

    return read(settings, work)


def _print(status: Status) -> None:
    if status.state.tripped:
        say("ON HOLD: the breaker is tripped, see below.\n", style="bold red")
    heading("Processes")
    print_rows(
        ["Process", "State", "Last heard", "Up since", "Does"],
        [
            [
                process.process,
                "alive" if process.alive else "missing",
                _ago(process.age),
                process.started_at,
                _does(process),
            ]
            for process in status.processes
        ],
        empty="None has ever been heard of.",
    )
    heading("Work", level=2)
    print_pairs(_work(status))
    heading("Access", level=2)
    print_pairs([(level, status.access.get(level, 0)) for level in _levels()])
    say("")
    for problem in status.problems:
        say(problem.wrong, style="bold red")
        say(problem.cure, indent=2)
    if not status.problems:
        say("All is well.", style="green")


def _levels() -> Sequence[str]:
    from dunning.access import ORDER

    return [level.value for level in ORDER]


def _does(process: Heartbeat) -> str:
    return ",".join(process.info.get("queues", ())) or process.kind


def _work(status: Status) -> list[tuple[str, object]]:
    inbox, outbox, cases = status.state.inbox, status.state.outbox, status.state.cases
    waiting = f"{inbox.pending} waiting" + (f", the oldest for {span(inbox.oldest)}" if inbox.oldest else "")
    sending = f"{outbox.pending} waiting, {outbox.sending} being sent"
    late = f", late by {span(cases.overdue)}" if cases.overdue else ""
    pairs: list[tuple[str, object]] = [
        ("Events", f"{waiting}, {inbox.dead} given up"),
        ("Messages", f"{sending}, {outbox.unknown} unanswered, {outbox.failed} failed"),
        ("Cases", f"{cases.open} open, {cases.due} due{late}"),
        ("At risk", _at_risk(status)),
    ]
    if status.queues is not None:
        pairs.append(("Queues", ", ".join(map(_length, status.queues))))
    return pairs


def _length(one: QueueLength) -> str:
    return f"{one.queue} {one.waiting}" + (f" (+{one.in_hand} in hand)" if one.in_hand is not None else "")


def _at_risk(status: Status) -> str:
    from console.figures.formats import amounts

    behind = sum(status.totals.accounts.values())
    owed = f", {amounts(status.totals.amounts)}" if status.totals.amounts else ""
    return f"{behind} customer{'' if behind == 1 else 's'} past due or unpaid{owed}"


def _ago(age: timedelta) -> str:
    return f"{length} ago" if (length := span(age)) else "now"


def _plain(status: Status) -> dict[str, Any]:
    inbox, outbox, cases = status.state.inbox, status.state.outbox, status.state.cases
    return {
        "ok": not status.problems,
        "problems": status.problems,
        "tripped": breaker(status.state.tripped),
        "processes": [
            {
                "process": one.process,
                "kind": one.kind,
                "alive": one.alive,
                "age_seconds": _seconds(one.age),
                "started_at": one.started_at,
                "info": dict(one.info),
            }
            for one in status.processes
        ],
        "inbox": {"pending": inbox.pending, "oldest_seconds": _seconds(inbox.oldest), "dead": inbox.dead},
        "outbox": {
            "pending": outbox.pending,
            "sending": outbox.sending,
            "unknown": outbox.unknown,
            "failed": outbox.failed,
            "overdue_seconds": _seconds(outbox.overdue),
        },
        "cases": {"open": cases.open, "due": cases.due, "overdue_seconds": _seconds(cases.overdue)},
        "at_risk": {"accounts": status.totals.accounts, "amounts": status.totals.amounts},
        "access": {level: status.access.get(level, 0) for level in _levels()},
        "queues": status.queues,
    }


def _seconds(length: timedelta | None) -> float | None:
    return round(length.total_seconds(), 3) if length is not None else None
