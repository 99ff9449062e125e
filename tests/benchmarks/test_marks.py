"""How figures become ratios, medians and verdicts."""

import pytest

from benchmarks.experiment import Mark
from benchmarks.generator.flood import percentile
from benchmarks.report import verdict

RATE = Mark("rate", "ours", "rate", "peer", must=0.5, aim=0.8)
MEMORY = Mark("memory", "ours", "pss_mb", must=40, aim=30, better="less")


def test_a_ratio_is_the_median_of_each_rounds_own() -> None:
    """A round in which everything was slow changes nothing, because both were."""
    samples = {
        "ours": [{"rate": 60.0}, {"rate": 6.0}, {"rate": 90.0}],
        "peer": [{"rate": 100.0}, {"rate": 10.0}, {"rate": 100.0}],
    }
    assert RATE.value(samples) == pytest.approx(0.6)


def test_a_figure_by_itself_is_a_median() -> None:
    """One odd round does not count."""
    assert MEMORY.value({"ours": [{"pss_mb": value} for value in (31.0, 900.0, 33.0)]}) == 33.0


@pytest.mark.parametrize(
    ("mark", "value", "word"),
    [
        (RATE, 0.4, "misses"),
        (RATE, 0.5, "reached"),
        (RATE, 0.8, "aim"),
        (MEMORY, 41, "misses"),
        (MEMORY, 40, "reached"),
        (MEMORY, 30, "aim"),
    ],
)
def test_a_verdict_knows_which_way_is_better(mark: Mark, value: float, word: str) -> None:
    """More of a rate and less of a memory."""
    assert word in verdict(mark, value)


def test_a_figure_without_a_mark_has_no_verdict() -> None:
    """It is only shown."""
    assert verdict(Mark("rate", "ours", "rate"), 1.0) == ""


def test_percentiles_are_values_that_occurred() -> None:
    """By nearest rank; of nothing it is 0."""
    assert [percentile(range(1, 101), percent) for percent in (50, 99, 100)] == [50, 99, 100]
    assert percentile([7.0], 99) == 7.0
    assert percentile([], 50) == 0.0
