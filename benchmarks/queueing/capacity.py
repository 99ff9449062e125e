"""How full everything is at a rate, by arithmetic: what fills up first, and how many of each it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from benchmarks.queueing.costs import Costs, Fleet, World

COMFORTABLE = 0.6
"""How full anything may be on average: beyond it, every gust makes a queue."""
COMMITS = {"batch": 2, "mail": 3}
"""Of a batch of events (taken up; applied), and of a mail (claimed; handed over; sent)."""

SHARED_COMMITS = 4
"""Of a moment: PostgreSQL writes them to the disk together."""

Cure = Literal["more processes", "a larger server", "somebody else's limit"]


@dataclass(frozen=True, slots=True)
class Load:
    """How full one thing is; `most` is the rate of events at which it is full."""

    what: str
    share: float
    most: float
    cure: Cure


def together(rate: float, costs: Costs, fleet: Fleet) -> float:
    """How many events a receiver's statement has on average: those that came while the last was on its way.

    A message to the workers has as many: each statement is followed by one.
    """
    mine = rate / fleet.receivers
    once = costs.receive.once + costs.receive_database.once + costs.commit
    busy = mine * (costs.receive.each + costs.receive_database.each)
    most = min(fleet.gathered, fleet.batch)
    return max(1.0, min(most, mine * once / (1 - busy))) if busy < 1 else most


def loads(rate: float, costs: Costs, world: World, fleet: Fleet, *, backlog: bool = False) -> list[Load]:
    """The fullest first, at `rate` events a second; of a `backlog`, messages have as many as they can."""
    mails = world.failing * world.mailed
    questions = world.failing * world.questions
    many = together(rate, costs, fleet)
    batch = fleet.batch if backlog else many
    database = (
        costs.receive_database.share(many) + costs.apply_database.share(batch) + mails * costs.mail_database
    )
    commits = 1 / many + COMMITS["batch"] / batch + mails * COMMITS["mail"]
    # Of each: the seconds of it that an event takes, how much of it there is, and what helps.
    uses: list[tuple[str, float, float, Cure]] = [
        ("receivers", costs.receive.share(many), fleet.receivers, "more processes"),
        ("workers", costs.apply.share(batch) + questions * costs.ask, fleet.workers, "more processes"),
        (
            "workers' threads",
            _held(batch, costs, world) / batch,
            fleet.workers * fleet.threads,
            "more processes",
        ),
        ("mail workers", mails * costs.mail, fleet.mailers, "more processes"),
        (
            "mail workers' threads",
            mails * (costs.mail + world.smtp + COMMITS["mail"] * costs.commit),
            fleet.mailers * fleet.threads,
            "more processes",
        ),
        ("PostgreSQL's processors", database, fleet.database_cores, "a larger server"),
        ("PostgreSQL's commits", commits * costs.commit, SHARED_COMMITS, "a larger server"),
        ("Redis", (1 / batch + mails) * costs.redis, 1, "a larger server"),
        ("the provider's limit", questions / world.provider_limit, 1, "somebody else's limit"),
        ("the mail service's limit", mails / world.smtp_limit, 1, "somebody else's limit"),
    ]
    made = [
        Load(what, rate * use / there_is, there_is / use, cure) for what, use, there_is, cure in uses if use
    ]
    return sorted(made, key=lambda load: -load.share)


def _held(batch: float, costs: Costs, world: World) -> float:
    """Seconds that a batch keeps its thread: its questions are asked side by side, in two rounds."""
    one_asks = 1 - math.pow(1 - world.failing, batch)
    return (
        costs.apply.of(batch)
        + costs.apply_database.of(batch)
        + one_asks * 2 * world.answer
        + COMMITS["batch"] * costs.commit
    )


def enough(rate: float, costs: Costs, world: World, fleet: Fleet) -> Fleet:
    """The same with as many processes and database cores as `rate` takes, none of them too full."""
    fleet = replace(fleet, receivers=1, workers=1, mailers=1, database_cores=1)

    def count(*names: str, least: int = 1) -> int:
        shares = [load.share for load in loads(rate, costs, world, fleet) if load.what in names]
        return max(least, math.ceil(max(shares, default=0.0) / COMFORTABLE))

    # How many events there are to a message follows from the number of receivers.
    fleet = replace(fleet, receivers=count("receivers", least=2))
    return replace(
        fleet,
        workers=count("workers", "workers' threads"),
        mailers=count("mail workers", "mail workers' threads"),
        database_cores=count("PostgreSQL's processors"),
    )


def recovery(rate: float, away: float, costs: Costs, world: World, fleet: Fleet) -> float:
    """Seconds until nothing waits any more after workers were away for so long; infinite: never."""
    found = loads(rate, costs, world, fleet, backlog=True)
    limits = [load.most for load in found if load.what != "receivers"]
    spare = min(fleet.handed_out, *limits) - rate
    return rate * away / spare if spare > 0 else math.inf


def connections(fleet: Fleet) -> int:
    """To PostgreSQL at most, by docs/production.md."""
    threads = fleet.threads + 2
    return 2 * fleet.receivers + threads * (fleet.workers + fleet.mailers) + 4 * fleet.schedulers
