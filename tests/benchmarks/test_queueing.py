"""The model of an installation: where theory knows the answer it gives that one."""

from __future__ import annotations

import json
from dataclasses import replace
from statistics import mean

import pytest

from benchmarks import simulate
from benchmarks.queueing.capacity import COMFORTABLE, connections, enough, loads, recovery
from benchmarks.queueing.costs import Batch, Costs, Fleet, World, split
from benchmarks.queueing.life import Life, Line, Lived

NOTHING = Batch(0.0, 0.0)
# A receiver that needs ten milliseconds for each event, and nobody else who needs any time.
ONE_SERVER = Costs(
    receive=Batch(0.0, 0.010),
    receive_database=NOTHING,
    apply=NOTHING,
    apply_database=NOTHING,
    commit=0.0,
)
ALONE = Fleet(receivers=1, gathered=1, idle=0.0)
QUIET = World(failing=0.0)


def lived(
    rate: float, costs: Costs, world: World, fleet: Fleet, seconds: float = 300.0, seed: int = 1
) -> Lived:
    """A life from its beginning to its end."""
    return Life(rate, costs, world, fleet, seed).live(seconds)


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_one_server_waits_as_the_formula_says(load: float) -> None:
    """M/D/1, Pollaczek and Khinchine: service, and service x load / (2 (1 - load)) before it."""
    service = 0.010
    waits = lived(load / service, ONE_SERVER, QUIET, ALONE).answered
    assert mean(waits) == pytest.approx(service * (1 + load / (2 * (1 - load))), rel=0.05)


def test_a_line_of_two_serves_two() -> None:
    """The third waits for whoever is free first."""
    line = Line(2)
    assert [line.until(0.0, 2.0), line.until(0.0, 1.0), line.until(0.5, 1.0)] == [2.0, 1.0, 2.0]


def test_what_waits_together_is_stored_together() -> None:
    """A statement of its own for each event would be too much for one receiver; shared ones are not."""
    costs = replace(ONE_SERVER, receive=Batch(0.010, 0.0001))
    assert max(lived(500.0, costs, QUIET, replace(ALONE, gathered=64), seconds=20.0).answered) < 0.1


def test_a_step_is_split_by_what_one_costs_alone_and_among_many() -> None:
    """Ten for all that are done together and two for each: alone twelve, among fifty 2.2."""
    found = split(alone=12.0, at_once=2.2, together=50)
    assert (found.once, found.each) == pytest.approx((10.0, 2.0))
    assert split(alone=12.0, at_once=12.0, together=1) == Batch(once=12.0, each=0.0)


def test_the_same_seed_is_the_same_life() -> None:
    """And another one is another."""
    lives = [lived(50.0, Costs(), World(), Fleet(), 20.0, seed) for seed in (7, 7, 8)]
    assert lives[0] == lives[1] != lives[2]


def test_every_event_is_applied_and_every_mail_is_sent() -> None:
    """Nothing is lost on the way, and nobody hears of an event before it is stored."""
    world = World(failing=0.5, mailed=1.0, provider_limit=1000.0, smtp_limit=1000.0)
    life = lived(40.0, Costs(), world, Fleet(workers=2), seconds=20.0)
    assert len(life.answered) == len(life.applied)
    assert len(life.mailed) == pytest.approx(len(life.applied) / 2, rel=0.15)
    assert life.mailed[0] > world.answer * 2 + world.smtp


def test_the_limit_of_somebody_else_is_kept() -> None:
    """Ten questions a second, and ten events that ask one each at every moment: the last waits a second."""
    world = World(failing=1.0, questions=1, mailed=0.0, provider_limit=10.0)
    life = lived(9.0, Costs(), world, Fleet(workers=4), seconds=60.0)
    assert life.applied[-1] > 0.5
    assert lived(9.0, Costs(), replace(world, provider_limit=100.0), Fleet(workers=4), 60.0).applied[-1] < 0.5


@pytest.mark.parametrize("rate", [10.0, 100.0, 1000.0])
def test_enough_is_enough_and_no_more(rate: float) -> None:
    """Nothing that more processes or cores would help is too full, and with one less something were."""
    fleet = enough(rate, Costs(), World(), Fleet())
    found = {load.what: load.share for load in loads(rate, Costs(), World(), fleet)}
    assert max(found[name] for name in ("receivers", "workers", "mail workers")) <= COMFORTABLE
    if fleet.workers > 1:
        fewer = replace(fleet, workers=fleet.workers - 1)
        assert {load.what: load.share for load in loads(rate, Costs(), World(), fewer)}[
            "workers"
        ] > COMFORTABLE


def test_a_backlog_is_gone_as_soon_as_what_is_left_over_has_done_it() -> None:
    """An hour of 100 a second, where 500 are handed out: 400 are left over. Beyond that it never ends."""
    fleet = Fleet(workers=50, database_cores=50, handed_out=500.0)
    world = World(failing=0.0)
    assert recovery(100.0, 3600.0, Costs(), world, fleet) == pytest.approx(900.0)
    assert recovery(501.0, 3600.0, Costs(), world, fleet) == float("inf")


def test_connections_are_counted_as_the_manual_counts_them() -> None:
    """Two a receiver, four a scheduler, two beside the threads of each worker."""
    assert connections(Fleet(receivers=2, workers=1, mailers=1, schedulers=2, threads=8)) == 32


def test_the_command_answers_for_each_rate(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, and as tables that say what is full."""
    assert simulate.main(["--rate", "20", "--rate", "2000", "--seed", "3", "--json"]) == 0
    small, large = json.loads(capsys.readouterr().out)
    assert small["waits_ms"]["mailed"]["p50"] > 400
    assert large["waits_ms"] == {}
    assert large["loads"][0]["share"] > 1
    assert simulate.main(["--rate", "20", "--as-given", "--workers", "3", "--apply-each", "0.002"]) == 0
    assert "3 workers" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["--rate", "0"], ["--workers", "0"], ["--failing", "1.5"], ["--answer", "-1"]]
)
def test_what_cannot_be_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With the name of the option, and no traceback."""
    with pytest.raises(SystemExit):
        simulate.main(arguments)
    assert arguments[0] in capsys.readouterr().err
