"""A row of the table: contenders that are measured in turns, and the marks their figures are held against."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median
from typing import Literal

from benchmarks.house import House
from benchmarks.scale import Scale

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
    """One row: how its contenders are set up, and what counts. `set_up` ends what it started."""

    name: str
    title: str
    set_up: Callable[[House, Scale], AbstractContextManager[Sequence[Contender]]]
    marks: Sequence[Mark]


def run(
    experiment: Experiment, house: House, scale: Scale, done: Callable[[str], None] = lambda contender: None
) -> Samples:
    """Measure in turns, each round in the opposite order of the last. `done` hears of each measurement.

    Raises BenchmarkError when a measurement is not one.
    """
    with experiment.set_up(house, scale) as contenders:
        samples: dict[str, list[Figures]] = {contender.name: [] for contender in contenders}
        for number in range(scale.rounds):
            for contender in contenders if number % 2 == 0 else reversed(contenders):
                samples[contender.name].append(contender.measure())
                done(contender.name)
    return samples
