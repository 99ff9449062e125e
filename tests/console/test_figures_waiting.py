"""Time to recover: quartiles, and a curve that neither young cases nor lost ones flatter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.figures.tally import Fate
from console.figures.waiting import LAST_DAY, Quartiles, Waits
from tests.console.sample import PAID


def waits(*ended: tuple[Fate, float]) -> Waits:
    """Cases that ended so, after so many days."""
    found = Waits()
    for fate, days in ended:
        found.add(replace(PAID, fate=fate, lasted=timedelta(days=days)))
    return found


def shares(found: Waits) -> dict[int, float]:
    return {point.day: round(point.share, 4) for point in found.curve()}


def test_quartiles_are_those_of_the_paid() -> None:
    """A quarter, half and three quarters had been paid by then; who has not paid is not among them."""
    found = waits(*((Fate.RECOVERED, day) for day in (1, 2, 3, 4)), (Fate.OPEN, 50), (Fate.LOST, 14))
    assert found.quartiles() == Quartiles(1, 2, 3)
    assert waits((Fate.OPEN, 3)).quartiles() is None


def test_an_open_case_counts_for_as_long_as_it_was_watched() -> None:
    """Of four one is paid on day 1; one has been open for two days; of the two left one is paid on day 3."""
    found = waits((Fate.RECOVERED, 1), (Fate.OPEN, 2), (Fate.RECOVERED, 3), (Fate.OPEN, 10))
    curve = shares(found)
    assert (curve[0], curve[1], curve[2]) == (0, 0.25, 0.25)
    assert curve[3] == pytest.approx(0.25 + 0.75 / 2)
    assert max(curve) == 10


def test_a_lost_case_stays_among_those_that_never_pay() -> None:
    """Of two one is lost on day 1 and one is paid on day 5: half are paid, not all."""
    assert shares(waits((Fate.LOST, 1), (Fate.RECOVERED, 5)))[5] == 0.5


def test_the_curve_ends_where_nobody_was_watched_longer() -> None:
    """And in any case after sixty days."""
    assert waits().curve() == ()
    assert max(shares(waits((Fate.RECOVERED, 0.5)))) == 1
    assert max(shares(waits((Fate.RECOVERED, 200)))) == LAST_DAY


def test_without_open_and_lost_cases_it_comes_to_all() -> None:
    """By the day on which the last one is paid."""
    assert shares(waits(*((Fate.RECOVERED, day) for day in (0, 3, 7))))[7] == 1
