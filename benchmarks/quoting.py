"""`python -m benchmarks.quoting`: the tables of docs/scaling.md that follow from measured costs."""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.generator.flood import percentile
from benchmarks.queueing.capacity import Load, loads
from benchmarks.queueing.costs import MEASURED, Costs, Fleet, World
from benchmarks.queueing.life import Life
from benchmarks.simulate import HOUR, RATES, Answer, answer

SECONDS_OF_A_MONTH = 30 * 24 * HOUR
RAISED = replace(World(), provider_limit=500.0, smtp_limit=100.0)
"""What others allow, where the usual limits would be full."""

# The machine that was measured on: two cores for everything, Stripe and the mail server simulated on them.
_HERE = World(
    failing=1.0,
    mailed=1.0,
    answer=0.0,
    smtp=0.0,
    provider_limit=100_000.0,
    smtp_limit=100_000.0,
    provider_processor=0.0021,
    smtp_processor=0.0017,
)
_TWO_CORES = Fleet(receivers=1, machine_cores=2)
LONG = 120.0  # seconds of life

OURS = {name: name for name in ("receiver", "worker", "scheduler", "PostgreSQL", "Redis")}
OURS["mailer"] = "mail worker"

Row = tuple[str, Sequence[str]]


def main() -> int:
    """Print all of them."""
    for table in (costs(json.loads(MEASURED.read_text(encoding="utf-8"))), capacities(), reckoned()):
        sys.stdout.write("\n".join(table) + "\n\n")
    return 0


def costs(found: dict[str, Any]) -> Iterator[str]:
    """What `benchmarks.costs` has written."""
    columns = {
        "an event by itself": "plain_ms",
        "a failed payment, asked about and mailed": "failed_ms",
        "a second with nothing to do": "idle_ms",
    }
    rows = [
        # What comes to less than nothing is less than can be measured.
        (OURS[name], [f"{max(0.0, used[figure]):.1f}" for figure in columns.values()])
        for name, used in found["processor"].items()
        if name in OURS
    ]
    return _table(["", *columns], rows)


def capacities() -> Iterator[str]:
    """What each rate takes, what is full first, and how long events take."""
    usual = [answer(rate, Costs(), World(), Fleet(), seed=1, grow=True) for rate in RATES]
    lived = [
        each if each.lived else answer(each.rate, Costs(), RAISED, Fleet(), seed=1, grow=True)
        for each in usual
    ]
    rows: list[Row] = [
        ("a month", [f"{each.rate * SECONDS_OF_A_MONTH / 1e6:,.0f} million" for each in usual]),
        ("receivers", [str(each.fleet.receivers) for each in usual]),
        ("workers, without mails", _of(usual, lambda each: each.fleet.workers, "workers")),
        ("mail workers", _of(usual, lambda each: each.fleet.mailers, "mail workers")),
        ("PostgreSQL's cores", _of(usual, lambda each: each.fleet.database_cores, "PostgreSQL's processors")),
        ("its connections, without API and portal", [str(each.connections) for each in usual]),
        ("Redis, busy for", [f"{100 * _share(each, 'Redis'):.1f} %" for each in usual]),
        ("**full first**", [_full(each.loads[0]) for each in usual]),
        ("full next", [_full(each.loads[1]) for each in usual]),
        ("answered, p50 and p99", [_waits(each, "answered") for each in lived]),
        ("applied", [_waits(each, "applied") for each in lived]),
        ("mailed", [_waits(each, "mailed") for each in lived]),
        (
            "after an hour without workers, nothing waits any more after",
            [_minutes(each.recovery) for each in lived],
        ),
    ]
    return _table(["", *(f"{rate:,.0f} events/s" for rate in RATES)], rows)


def reckoned() -> Iterator[str]:
    """What the model makes of the machine that was measured on; what was measured stands beside it."""
    rows: list[Row] = []
    for what, rate in (("a failed payment alone", 0.2), ("20 failed payments a second", 20.0)):
        mailed = Life(rate, Costs(), _HERE, _TWO_CORES).live(max(LONG, 20 / rate)).mailed
        rows.append((what, [f"{1000 * percentile(mailed, share):,.0f} ms" for share in (50, 99)]))
    plain = replace(_HERE, failing=0.0)
    for what, world in (("a backlog of plain events", plain), ("a backlog of failed payments", _HERE)):
        found = loads(1.0, Costs(), world, _TWO_CORES, backlog=True)
        rows.append((what, [f"{next(load.most for load in found if load.what == 'workers'):,.0f}/s", ""]))
    return _table(["", "reckoned", "p99"], rows)


def _of(answers: Iterable[Answer], count: Callable[[Answer], int], what: str) -> list[str]:
    return [f"{count(each)}, busy for {100 * _share(each, what):.0f} %" for each in answers]


def _share(each: Answer, what: str) -> float:
    return next(load.share for load in each.loads if load.what == what)


def _full(load: Load) -> str:
    return f"{load.what}, at {load.most:,.0f}/s"


def _waits(each: Answer, what: str) -> str:
    found = getattr(each.lived, what)
    return " and ".join(f"{1000 * percentile(found, share):,.0f}" for share in (50, 99)) + " ms"


def _minutes(seconds: float) -> str:
    return f"{math.ceil(seconds / 60):,} min" if math.isfinite(seconds) else "never"


def _table(heads: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    yield _line(heads)
    yield _line(["---"] * len(heads))
    for name, cells in rows:
        yield _line([name, *cells])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
