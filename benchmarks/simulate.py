"""`python -m benchmarks.simulate [--rate N]`: what breaks first, how many it takes, how long a mail takes."""

import argparse
import itertools
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_type_hints

from rich.console import Console
from rich.table import Table

from benchmarks.generator.flood import percentile
from benchmarks.queueing.capacity import Load, connections, enough, loads, recovery
from benchmarks.queueing.costs import Batch, Costs, Fleet, World
from benchmarks.queueing.life import Life, Lived

RATES = (10.0, 100.0, 1000.0)
EVENTS = 20_000  # lived through at each rate, at least
SHORTEST, LONGEST = 30.0, 300.0  # seconds of life
HOUR = 3600.0
# What there cannot be none of.
NEEDED = {
    "receivers", "workers", "mailers", "threads", "database_cores", "gathered", "batch",
    "provider_limit", "smtp_limit",
}  # fmt: skip
WIDTH = 110  # characters, where the table is kept


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes of one rate. `lived` is None where something would be full: then nothing ends."""

    rate: float
    fleet: Fleet
    loads: list[Load]
    recovery: float
    connections: int
    lived: Lived | None


def answer(rate: float, costs: Costs, world: World, fleet: Fleet, *, seed: int, grow: bool) -> Answer:
    """At `rate` events a second; with `grow` by as many processes as that takes."""
    if grow:
        fleet = enough(rate, costs, world, fleet)
    found = loads(rate, costs, world, fleet)
    seconds = min(LONGEST, max(SHORTEST, EVENTS / rate))
    return Answer(
        rate,
        fleet,
        found,
        recovery(rate, HOUR, costs, world, fleet),
        connections(fleet),
        Life(rate, costs, world, fleet, seed).live(seconds) if found[0].share < 1 else None,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer for each rate, for people or as JSON."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    costs, world, fleet = (_with(kind(), given) for kind in (Costs, World, Fleet))
    if any(rate <= 0 for rate in given["rate"] or ()):
        parser.error("--rate must be more than 0")
    for name, value, _ in itertools.chain(*map(_options, (fleet, world, costs))):
        if value < 0 or (value == 0 and name in NEEDED) or (value > 1 and name == "failing"):
            parser.error(f"--{name.replace('_', '-')} cannot be {value:g}")
    answers = [
        answer(rate, costs, world, fleet, seed=given["seed"], grow=not given["as_given"])
        for rate in given["rate"] or RATES
    ]
    if given["json"]:
        json.dump([_plain(each) for each in answers], sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    for each in answers:
        console.print(_table(each))
    return 0


def _with(base: Any, given: Mapping[str, Any], prefix: str = "") -> Any:
    """`base` with what was given of it, parts of its parts included."""
    changed = {}
    for field in fields(base):
        name, value = prefix + field.name, getattr(base, field.name)
        if isinstance(value, Batch):
            changed[field.name] = _with(value, given, name + "_")
        elif given[name] is not None:
            changed[field.name] = given[name]
    return replace(base, **changed)


def _options(base: Any, prefix: str = "", about: str = "") -> Iterator[tuple[str, int | float, str]]:
    """The name, the value and the meaning of each number in it."""
    for field, hint in get_type_hints(type(base), include_extras=True).items():
        name, value = prefix + field, getattr(base, field)
        meaning = ", ".join(filter(None, (about, *hint.__metadata__)))
        if isinstance(value, Batch):
            yield from _options(value, name + "_", meaning)
        else:
            yield name, value, meaning


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulate",
        usage="%(prog)s [--rate N ...] [--json] [OPTION N ...]",
        description="Which part of an installation is full first at a rate of events, how many processes of "
        "each kind it takes to keep all at 60 % or less, and how long events then take to be answered, "
        "applied and mailed. By measured costs: docs/scaling.md says whence, and how far off this was.",
        epilog="Without --rate: 10, 100 and 1000. There are as many processes as the rate takes; with "
        "--as-given as many as --receivers, --workers, --mailers and --database-cores say.",
    )
    parser.add_argument(
        "--rate", type=float, action="append", metavar="N", help="events a second; may be repeated"
    )
    parser.add_argument("--as-given", action="store_true", help="with the processes given, enough or not")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of chance (1)")
    parser.add_argument("--json", action="store_true", help="every figure, as JSON")
    for title, base in (("installation", Fleet()), ("world", World()), ("costs, in seconds", Costs())):
        group = parser.add_argument_group(title)
        for name, value, about in _options(base):
            option = "--" + name.replace("_", "-")
            group.add_argument(option, type=type(value), metavar="N", help=f"{about} ({value:g})")
    return parser


def _plain(each: Answer) -> dict[str, Any]:
    return {
        "rate": each.rate,
        "fleet": asdict(each.fleet),
        "loads": [asdict(load) for load in each.loads],
        "recovery_s": each.recovery if math.isfinite(each.recovery) else None,
        "connections": each.connections,
        "waits_ms": {
            name: {f"p{share}": 1000 * percentile(waits, share) for share in (50, 99)}
            for name, waits in _waits(each).items()
        },
    }


def _waits(each: Answer) -> dict[str, list[float]]:
    found = asdict(each.lived) if each.lived else {}
    return {name: waits for name, waits in found.items() if waits}


def _table(each: Answer) -> Table:
    fleet = each.fleet
    title = (
        f"{each.rate:g} events/s: {fleet.receivers} receivers, {fleet.workers} workers, {fleet.mailers} mail "
        f"workers, {fleet.database_cores} cores of PostgreSQL, {each.connections} connections"
    )
    table = Table(
        title=title, title_justify="left", caption=_story(each), caption_justify="left", expand=True
    )
    for name in ("what", "full", "full at", "what helps"):
        table.add_column(name, justify="right" if name in ("full", "full at") else "left")
    for load in each.loads:
        mark = "[red]" if load.share >= 1 else ""
        table.add_row(load.what, f"{mark}{load.share:.1%}", f"{load.most:,.0f}/s", load.cure)
    return table


def _story(each: Answer) -> str:
    if each.lived is None:
        return f"The queue before {each.loads[0].what} grows without end."
    waits = ", ".join(
        f"{name} after {1000 * percentile(of, 50):,.0f} ms (p99 {1000 * percentile(of, 99):,.0f})"
        for name, of in _waits(each).items()
    )
    minutes = f"{each.recovery / 60:,.0f} minutes" if math.isfinite(each.recovery) else "never"
    return f"Events are {waits}. After an hour without workers, nothing waits any more after: {minutes}."


if __name__ == "__main__":
    sys.exit(main())
