"""`python -m benchmarks [--quick] [--only NAME] [--rounds N] [--json]`; `./run bench` in a checkout."""

import argparse
import json
import logging
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import machine, report
from benchmarks.errors import BenchmarkError, SkippedError
from benchmarks.experiment import Experiment, Result, run
from benchmarks.experiments import EXPERIMENTS
from benchmarks.flames import Profiler, profiler
from benchmarks.house import house
from benchmarks.scale import FULL, QUICK, Scale
from sandbox.errors import SandboxError

WIDTH = 100  # characters, where the table is kept
NAMES = [experiment.name for experiment in EXPERIMENTS]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and show; the exit code: 0 when everything was measured, whatever came of it, else 1."""
    given = _parse(arguments)
    scale = QUICK if given.quick else FULL
    if given.rounds:
        scale = replace(scale, rounds=given.rounds, long_rounds=given.rounds)
    chosen = [experiment for experiment in EXPERIMENTS if experiment.name in (given.only or NAMES)]
    # Ended by SIGTERM as by Ctrl-C: through every `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    people = Console(stderr=True)
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)  # of code that runs in this process
    try:
        pictures = profiler(given.profile) if given.profile else None
        with _progress(people) as bar:
            chosen = fetch(chosen, people, bar)
            described = machine.describe()
            start = time.monotonic()
            results = measure(chosen, scale, people, bar, pictures)
            seconds = time.monotonic() - start
    except (BenchmarkError, SandboxError) as error:
        people.print(f"[red]benchmarks:[/] {error}", highlight=False)
        return 1
    except KeyboardInterrupt:
        return 130
    if given.json:
        json.dump(report.as_json(results, described, asdict(scale), seconds), sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    shown = Console(width=None if sys.stdout.isatty() else WIDTH)
    shown.print(machine.sentence(described), highlight=False)
    shown.print(f"Medians of {scale.rounds} rounds; ratios are medians of each round's own.", highlight=False)
    for result in results:
        shown.print()
        shown.print(report.table(result))
    shown.print(f"\nThis took {seconds:.0f} s, with the servers' start.", highlight=False)
    return 0


def fetch(chosen: Sequence[Experiment], people: Console, bar: Progress) -> list[Experiment]:
    """Have everything here that is not measured itself; the rows that have what they need."""
    task = bar.add_task("fetching, whose time does not count and which is kept", total=len(chosen), doing="")
    ready = []
    for experiment in chosen:
        bar.update(task, doing=experiment.name)
        try:
            experiment.fetch()
        except SkippedError as skipped:
            _leave_out(experiment, skipped, people)
        else:
            ready.append(experiment)
        bar.advance(task)
    bar.remove_task(task)
    return ready


def measure(
    chosen: Sequence[Experiment],
    scale: Scale,
    people: Console,
    bar: Progress,
    pictures: Profiler | None = None,
) -> list[Result]:
    """Measure rows one after the other on one set of servers, with a progress bar for people.

    A row that cannot be measured here is left out, and `people` hear why.
    """
    task = bar.add_task("measuring", total=len(chosen), doing="starting the servers")
    results = []
    with house() as servers:
        for experiment in chosen:
            bar.update(task, doing=f"{experiment.name}: setting up")

            def done(contender: str, name: str = experiment.name) -> None:
                bar.update(task, doing=f"{name}: {contender}")

            try:
                results.append(run(experiment, servers, scale, done, pictures))
            except SkippedError as skipped:
                _leave_out(experiment, skipped, people)
            bar.advance(task)
    return results


def _progress(people: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[doing]}"),
        console=people,
        transient=True,
    )


def _leave_out(experiment: Experiment, why: SkippedError, people: Console) -> None:
    people.print(f"{experiment.name} is left out: {why}", highlight=False, markup=False)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the real programs, each beside its ceiling and its peers, in turns.",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="short rounds and small worlds",
    )
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="instead of 5 (quick: 3), or of 2 where one takes long"
    )
    parser.add_argument("--json", action="store_true", help="every figure of every round, as JSON")
    parser.add_argument(
        "--profile", type=Path, metavar="FOLDER", help="flame graphs of our programs (py-spy), at some speed"
    )
    given = parser.parse_args(arguments)
    if given.rounds is not None and given.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return given


if __name__ == "__main__":
    sys.exit(main())
