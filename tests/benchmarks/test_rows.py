"""Every row can be measured: whatever the figures are, nothing gets lost and nothing breaks."""

import pytest

from benchmarks import report
from benchmarks.experiment import Experiment, run
from benchmarks.experiments import EXPERIMENTS
from benchmarks.house import House
from benchmarks.report import Result
from benchmarks.scale import TINY


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_a_row_is_measured_and_shown(experiment: Experiment, servers: House) -> None:
    """Each contender has a figure for each round, and each mark a value and a line in the table."""
    samples = run(experiment, servers, TINY)
    assert {len(rounds) for rounds in samples.values()} == {TINY.rounds}
    result = Result(experiment, samples, seconds=1.0)
    marks = report.as_json([result], {}, {})["rows"][0]["marks"]
    assert [mark["what"] for mark in marks] == [mark.what for mark in experiment.marks]
    assert all(mark["value"] > 0 for mark in marks)
    assert report.table(result).row_count == len(experiment.marks)
