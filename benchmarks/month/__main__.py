"""`python -m benchmarks.month [--events N] [--layout NAME]`: a month of events, kept in two ways.

Not a row of the suite: ten million events take 40 GB of disk and twenty minutes for each way.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence

from benchmarks import machine
from benchmarks.month import rows
from benchmarks.month.layouts import LAYOUTS
from benchmarks.month.measure import Figures
from benchmarks.month.story import Month, play
from db.migrate import upgrade
from sandbox.postgres import embedded_postgres

PROGRESS_EVERY = 10.0  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure each way, one after the other, and tell what came of it as it comes."""
    given = _parse(arguments)
    month = Month(given.events, given.seconds, given.batch, given.random_ids)
    _say(machine.sentence(machine.describe()))
    results: dict[str, dict[str, Figures]] = {}
    with embedded_postgres(durable=True) as postgres:
        for name in given.layout or LAYOUTS:
            database = "month_" + name.replace(" ", "_")
            url = postgres.create_database(database)
            upgrade(url)
            results[name] = _measured(name, url, month)
            postgres.drop_database(database)
    if given.json:
        json.dump(results, sys.stdout, indent=2)
        sys.stdout.write("\n")
    return 0


def _measured(name: str, url: str, month: Month) -> dict[str, Figures]:
    begun = told_at = time.monotonic()
    found: dict[str, Figures] = {}

    def tell(what: str, figures: Figures) -> None:
        found[what] = figures
        _say(f"{name}, {what}: " + ", ".join(f"{each} {value:,.1f}" for each, value in figures.items()))

    def progress(table: str, number: int) -> None:
        nonlocal told_at
        if (now := time.monotonic()) - told_at >= PROGRESS_EVERY:
            told_at = now
            _say(f"  {now - begun:5.0f} s  {name}: {table} {number:,}")

    asyncio.run(play(LAYOUTS[name], url, month, tell, progress))
    return found


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.month",
        description="Fill an embedded PostgreSQL with a month of events, each way of keeping them in turn, "
        "and measure before and after: storing, applying, a scheduler's look, taking a day away meanwhile.",
    )
    parser.add_argument("--events", type=int, default=10_000_000, help="of the month; 10000000 take 40 GB")
    parser.add_argument("--layout", action="append", choices=sorted(LAYOUTS), help="only this one")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each flood of events; 10")
    parser.add_argument("--batch", type=int, default=2000, help="rows that are taken away at once; 2000")
    parser.add_argument("--random-ids", action="store_true", help="events whose ids do not follow the time")
    parser.add_argument("--json", action="store_true", help="every figure, as JSON")
    given = parser.parse_args(arguments)
    if given.events < rows.DAYS or given.seconds <= 0 or given.batch < 1:
        parser.error("--events must be 30 or more, --seconds and --batch more than 0")
    return given


if __name__ == "__main__":
    sys.exit(main())
