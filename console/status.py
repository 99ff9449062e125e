"""Is everything running, and is anything late? Facts in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from db.heartbeats import Heartbeat, kept_too_long
from db.mismatches import Mismatches
from db.status import State
from db.totals import Totals
from worker.lengths import QueueLength
from worker.queues import WAKEUPS

# Work is taken up within seconds, and by the scheduler within ten more: a minute means that nobody does it.
LATE = timedelta(seconds=60)
# It is looked for once an hour.
KEPT_TOO_LONG = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that wants a person: what is wrong, and what to do about it."""

    wrong: str
    cure: str


@dataclass(frozen=True, slots=True)
class Status:
    """Everything one screen shows. `access` counts customers by level.

    `queues` is None when the broker was not asked or did not answer.
    """

    state: State
    totals: Totals
    access: Mapping[str, int]
    processes: Sequence[Heartbeat]
    queues: Sequence[QueueLength] | None
    problems: Sequence[Problem]


def assess(
    state: State,
    processes: Sequence[Heartbeat],
    queues: Sequence[QueueLength] | None,
    *,
    totals: Totals,
    access: Mapping[str, int],
    mismatches: Mismatches,
    broker: str | None,
) -> Status:
    """Judge what was read. No problems means that all is well.

    `broker` is what was asked for the queues ("Redis"); None: none was.
    """
    problems = [
        *_tripped(state),
        *_missing(processes),
        *_late(state),
        *_locked_out(mismatches),
        *_untold(totals),
        *_kept(processes),
    ]
    if broker is not None and queues is None:
        problems.append(
            Problem(f"{broker} does not answer.", "Start it, or look at its URL: docs/brokers.md.")
        )
    return Status(state, totals, access, processes, queues, problems)


def _tripped(state: State) -> list[Problem]:
    if state.tripped is None:
        return []
    held = f"The breaker has been tripped since {state.tripped.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    cure = (
        "Mails, revocations and charges of ours are held back. Look at `dunning breaker`, then let go "
        "with `dunning breaker release`."
    )
    return [Problem(f"{held}: {state.tripped.reason}.", cure)]


def _missing(processes: Sequence[Heartbeat]) -> list[Problem]:
    alive = [process for process in processes if process.alive]
    problems = []
    workers = [process for process in alive if process.kind == "worker"]
    served = {str(queue) for worker in workers for queue in worker.info.get("queues", ())}
    unserved = [wakeup.queue for wakeup in WAKEUPS if wakeup.queue not in served]
    if not workers:
        problems.append(Problem("No worker is alive.", "Start one: `dunning worker`."))
    elif unserved:
        names = ",".join(unserved)
        cure = f"Start one: `dunning worker --queues {names}`."
        problems.append(Problem(f"No worker serves {names}.", cure))
    if not any(process.kind == "scheduler" for process in alive):
        problems.append(Problem("No scheduler is alive.", "Start one, better two: `dunning scheduler`."))
    return problems


def _locked_out(mismatches: Mismatches) -> list[Problem]:
    if not mismatches.locked:
        return []
    cure = "docs/alerts.md tells how to find them: DunningPaidButLocked."
    return [Problem(f"{mismatches.locked} customers pay and do not have full access.", cure)]


def _untold(totals: Totals) -> list[Problem]:
    if not totals.disabled:
        return []
    cure = "`dunning webhooks list` says which and why; mend it, `enable` it, and `replay` what it missed."
    return [Problem("An endpoint of your application has failed for too long: it is told nothing.", cure)]


def _kept(processes: Sequence[Heartbeat]) -> list[Problem]:
    if kept_too_long(processes) < KEPT_TOO_LONG:
        return []
    cure = "Schedulers remove it in batches. If this stays, look at their log: docs/privacy.md."
    return [Problem("Personal data is kept longer than your settings say.", cure)]


def _late(state: State) -> list[Problem]:
    problems = []
    if state.inbox.oldest and state.inbox.oldest > LATE:
        cure = "Look at the workers' log for event.failed and event.waits_for_provider."
        problems.append(Problem("Events wait for longer than a minute.", cure))
    if state.inbox.dead:
        cure = "`dunning dead list` says why, `dunning dead retry` tries them again."
        problems.append(Problem(f"{state.inbox.dead} events were given up.", cure))
    if state.outbox.overdue and state.outbox.overdue > LATE:
        problems.append(
            Problem("Messages wait for longer than a minute.", "Look for a worker that serves mail and team.")
        )
    if state.cases.overdue and state.cases.overdue > LATE:
        problems.append(
            Problem("Cases are late by more than a minute.", "Look at the workers' log for customer.failed.")
        )
    return problems
