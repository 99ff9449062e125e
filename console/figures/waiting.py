"""How long it takes to be paid: quartiles, and the share that is recovered by each day.

The share is a cumulative incidence (the Aalen-Johansen estimator, which is Kaplan and Meier's where a case
can end in several ways): an open case counts for as long as it has been watched, and one that has ended
unpaid stays among those that were never paid. So neither young cases nor lost ones flatter it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from console.figures.tally import Fate, SeenCase

AN_HOUR = timedelta(hours=1)
A_DAY = timedelta(days=1)
# The curve ends here; a policy that waits longer than this is rare.
LAST_DAY = 60


@dataclass(frozen=True, slots=True)
class Point:
    """The share (0 to 1) that is recovered by the end of a day, and how many cases were watched so long."""

    day: int
    share: float
    watched: int


@dataclass(frozen=True, slots=True)
class Quartiles:
    """To the hour: so many days after the first failure a quarter, half and three quarters had been paid."""

    lower: float
    median: float
    upper: float


class Waits:
    """Cases by how long they took; what is kept does not grow with their number."""

    def __init__(self) -> None:
        self._hours: Counter[int] = Counter()
        self._days: dict[int, Counter[Fate]] = {}

    def add(self, case: SeenCase) -> None:
        lasted = max(case.lasted, timedelta(0))
        self._days.setdefault(ceil(lasted / A_DAY), Counter())[case.fate] += 1
        if case.fate is Fate.RECOVERED:
            self._hours[round(lasted / AN_HOUR)] += 1

    @property
    def recovered(self) -> int:
        return self._hours.total()

    def quartiles(self) -> Quartiles | None:
        """Of those that were paid, or None: none was."""
        if not self._hours:
            return None
        return Quartiles(*(self._quantile(share) for share in (0.25, 0.5, 0.75)))

    def _quantile(self, share: float) -> float:
        """The smallest wait, in days, that so large a share did not exceed."""
        wanted = ceil(share * self.recovered)
        seen = 0
        for hours, count in sorted(self._hours.items()):
            seen += count
            if seen >= wanted:
                return hours / 24
        raise AssertionError("a share of one at most")

    def curve(self) -> tuple[Point, ...]:
        """Day by day, as long as any case has been watched."""
        watched = sum(each.total() for each in self._days.values())
        still_open, recovered = 1.0, 0.0
        points = []
        for day in range(LAST_DAY + 1):
            if not watched:
                break
            ended = self._days.get(day, Counter())
            recovered += still_open * ended[Fate.RECOVERED] / watched
            points.append(Point(day, recovered, watched))
            still_open *= 1 - (ended[Fate.RECOVERED] + ended[Fate.LOST]) / watched
            watched -= ended.total()
        return tuple(points)
