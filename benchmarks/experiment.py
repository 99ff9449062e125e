"""A row of the table: contenders that are measured in turns, and the marks their figures are held against."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Literal

from benchmarks.flames import Profiler
from benchmarks.house import House
from benchmarks.scale import Scale

SET_UP, END = "set-up", "end"

Figures = Mapping[str, float]
"""What one round gave. The names end in their unit: p50_ms, pss_mb; `rate` is per second."""

Samples = Mapping[str, Sequence[Figures]]
"""The rounds of each contender, in order."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who is measured. `measure` does one round."""

    name: str
    measure: Callable[[], Figures]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a figure must reach, by itself or as a ratio to another contender's.

    `against` names a contender, whose `figure` is taken (or `their_figure`). Without `must` it is only shown.
    """

    what: str
    contender: str
    figure: str
    against: str | None = None
    must: float | None = None
    aim: float | None = None
    better: Literal["more", "less"] = "more"

    def value(self, samples: Samples) -> float:
        """The median over the rounds; of a ratio, the median of each round's own, so that drift cancels."""
        ours = [figures[self.figure] for figures in samples[self.contender]]
        if self.against is None:
            return median(ours)
        theirs = [figures[self.figure] for figures in samples[self.against]]
        return median(mine / other for mine, other in zip(ours, theirs, strict=True))

    def reaches(self, value: float, limit: float | None) -> bool | None:
        """Whether `value` is as good as `limit`; None where there is no limit."""
        if limit is None:
            return None
        return value >= limit if self.better == "more" else value <= limit


@dataclass(frozen=True, slots=True)
class Experiment:
    """One row: how its contenders are set up, and what counts. `set_up` ends what it started.

    `fetch` downloads what is kept for later runs, and does nothing where that is there already. A `long` row
    takes a minute a round at full size, and has fewer of them there.
    """

    name: str
    title: str
    set_up: Callable[[House, Scale], AbstractContextManager[Sequence[Contender]]]
    marks: Sequence[Mark]
    fetch: Callable[[], object] = lambda: None
    long: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """One row, measured."""

    experiment: Experiment
    rounds: int
    samples: Samples
    spent: Mapping[str, float]
    """Seconds: of each contender's rounds by its name, and what came before and after them."""

    @property
    def seconds(self) -> float:
        """That the row took as a whole."""
        return sum(self.spent.values())


def run(
    experiment: Experiment,
    house: House,
    scale: Scale,
    done: Callable[[str], None] = lambda contender: None,
    profiler: Profiler | None = None,
) -> Result:
    """Measure in turns, each round in the opposite order of the last. `done` hears of each measurement.

    A `profiler` watches our programs during the rounds, and costs them some of their speed.

    Raises BenchmarkError when a measurement is not one, SkippedError when the row cannot be measured here.
    """
    rounds = scale.long_rounds if experiment.long else scale.rounds
    spent: defaultdict[str, float] = defaultdict(float)
    lap = time.monotonic()

    def spend(what: str) -> None:
        nonlocal lap
        now = time.monotonic()
        spent[what] += now - lap
        lap = now

    with ExitStack() as stack:
        contenders = stack.enter_context(experiment.set_up(house, scale))
        if profiler:
            stack.enter_context(profiler(experiment.name, house.programs.ours()))
        spend(SET_UP)
        samples: dict[str, list[Figures]] = {contender.name: [] for contender in contenders}
        for number in range(rounds):
            for contender in contenders if number % 2 == 0 else reversed(contenders):
                samples[contender.name].append(contender.measure())
                spend(contender.name)
                done(contender.name)
    spend(END)
    return Result(experiment, rounds, samples, spent)
