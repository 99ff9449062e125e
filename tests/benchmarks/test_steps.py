"""The way from an event to its mail, cut into steps."""

import pytest

from benchmarks.experiments.steps import STEPS, Way, figures


def test_each_step_ends_where_the_next_begins() -> None:
    """Medians of each, in milliseconds, and their sum."""
    quick = Way(0.0, 0.001, 0.003, 0.006, 0.010, 0.015, 0.021, 0.028)
    slow = Way(*(2 * moment for moment in (0.0, 0.001, 0.003, 0.006, 0.010, 0.015, 0.021, 0.028)))
    found = figures([quick, slow, quick])
    assert list(found) == [*(f"{step}_ms" for step in STEPS), "sum_ms"]
    assert list(found.values()) == pytest.approx([1, 2, 3, 4, 5, 6, 7, 28])
