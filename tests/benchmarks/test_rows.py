"""Every row can be measured: whatever the figures are, nothing gets lost and nothing breaks."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import pytest
from rich.console import Console
from rich.progress import Progress

from benchmarks import report
from benchmarks.__main__ import fetch, measure
from benchmarks.errors import SkippedError
from benchmarks.experiment import Contender, Experiment, run
from benchmarks.experiments import EXPERIMENTS
from benchmarks.experiments.djstripe import DJSTRIPE
from benchmarks.experiments.outage import OUTAGE
from benchmarks.experiments.policies import POLICIES
from benchmarks.experiments.processes import PROCESSES
from benchmarks.house import House
from benchmarks.scale import TINY

# All but dj-stripe's, which is only installed where somebody measures it, and two that are like the worker's
# and would show nothing that it does not: fourteen processes, and a backlog.
OURS = [experiment for experiment in EXPERIMENTS if experiment not in (DJSTRIPE, PROCESSES, OUTAGE)]


@pytest.mark.parametrize("experiment", OURS, ids=lambda experiment: experiment.name)
def test_a_row_is_measured_and_shown(experiment: Experiment, servers: House) -> None:
    """Each contender has a figure for each round, and each mark a value and a line in the table."""
    result = run(experiment, servers, TINY)
    assert {len(rounds) for rounds in result.samples.values()} == {TINY.rounds}
    assert result.samples.keys() < result.spent.keys()
    marks = report.as_json([result], {}, {}, 1.0)["rows"][0]["marks"]
    assert [mark["what"] for mark in marks] == [mark.what for mark in experiment.marks]
    assert all(mark["value"] > 0 for mark in marks)
    assert report.table(result).row_count == len(experiment.marks)


def test_a_row_that_cannot_be_measured_here_is_left_out(
    monkeypatch: pytest.MonkeyPatch, servers: House
) -> None:
    """The others are measured all the same, and it is said why."""

    @contextmanager
    def without(*_: object) -> Iterator[Sequence[Contender]]:
        raise SkippedError("no index is reached")
        yield []

    @contextmanager
    def with_one(*_: object) -> Iterator[Sequence[Contender]]:
        yield [Contender("ours", lambda: {"rate": 1.0})]

    rows = [Experiment(name, name, set_up, ()) for name, set_up in (("some", without), ("other", with_one))]
    monkeypatch.setattr("benchmarks.__main__.house", lambda: nullcontext(servers))
    said = Console(file=io.StringIO(), width=200)
    with Progress(console=said) as bar:
        [measured] = measure(rows, TINY, said, bar)
    assert measured.experiment.name == "other"
    assert "some is left out: no index is reached" in said.file.getvalue()  # type: ignore[attr-defined]  # as given


def test_what_cannot_be_fetched_leaves_its_row_out() -> None:
    """Before anything is measured, so that its time counts for nothing."""

    def without() -> None:
        raise SkippedError("no index is reached")

    rows = [Experiment("some", "some", POLICIES.set_up, (), fetch=without), POLICIES]
    said = Console(file=io.StringIO(), width=200)
    with Progress(console=said) as bar:
        assert fetch(rows, said, bar) == [POLICIES]
    assert "some is left out: no index is reached" in said.file.getvalue()  # type: ignore[attr-defined]  # as given
