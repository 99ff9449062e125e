"""Everything is killed, frozen and emptied while Stripe goes on: nothing is lost, and nothing happens twice.

Real processes throughout: receiver, workers, two schedulers, access API, Valkey, PostgreSQL, a mail server
that refuses and falls silent, and a simulated Stripe that delivers each webhook until it is acknowledged,
some of them twice and none in order. A seed draws the same faults again: `./run chaos -k storm --seed 7`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox.merchant import DOMAIN
from tests.chaos.conftest import Tell
from tests.chaos.rig.books import Books
from tests.chaos.rig.checker import Findings
from tests.chaos.rig.driver import Driver, driving
from tests.chaos.rig.faults import storm
from tests.chaos.rig.figures import latencies, memory
from tests.chaos.rig.history import Answered, Mailed, Struck

SETTLED_WITHIN = 30.0
# What is not done by then is lost, and not late.
LOST_AFTER = 90.0
# Seconds between two faults, and how many steps customers make in a second; a step is some 25 events.
GAP = (0.8, 2.0)
PACE = 0.6
# Seconds of the short form and of the long one.
STEADY = {False: 5.0, True: 30.0}
STORM = {False: 20.0, True: 150.0}
FAULTS = {False: 8, True: 50}
# Of mails that are refused, and that meet with silence. What is refused is tried again after half a minute,
# so that the last ones are refused before the end.
SHARE = {False: 0.15, True: 0.04}
REFUSING = {False: 5.0, True: 130.0}
# Mails that a killed mailer had at the server, or had not written down yet (docs/reliability.md).
MOST_AT_HAND = 20
SCHEDULERS = ("scheduler", "scheduler-2")


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a storm. `steady` are the figures from before it, `settled` the seconds after it."""

    driver: Driver
    books: Books
    findings: Findings
    steady: dict[str, int]
    settled: float

    @property
    def faults(self) -> Counter[str]:
        """How often each kind struck."""
        return Counter(each.kind for each in self.driver.history.all(Struck))

    @property
    def where(self) -> str:
        """Where the history of a run that failed is to be found."""
        return f"seed {self.driver.seed}: all of it is kept in {self.driver.directory}"


@pytest.fixture(scope="module")
def run(seed: int, long: bool) -> Iterator[Run]:
    """A few quiet seconds, a storm, and the time until everything is done."""
    with driving(f"storm-{seed}", seed) as driver:
        with driver.world.living(PACE):
            driver.wait(STEADY[long])
            steady = latencies(driver.history, driver.books(), DOMAIN) | memory(driver.stage)
            driver.mails.refused = driver.mails.silent = SHARE[long]
            strikes = storm(seed, GAP)
            driver.strike(strikes, REFUSING[long])
            driver.mails.refused = 0.0
            driver.strike(strikes, STORM[long] - REFUSING[long])
        settled = driver.settle(LOST_AFTER)
        books = driver.books()
        yield Run(driver, books, driver.findings(books), steady, settled)


def test_a_storm_of_faults_breaks_no_promise(run: Run, long: bool, tell: Tell) -> None:
    """Acknowledged is done, nothing is done twice, access is what Stripe's facts come to, within seconds."""
    whole = latencies(run.driver.history, run.books, DOMAIN)
    tell(
        "F1",
        seed=run.driver.seed,
        faults=run.faults.total(),
        by_kind=dict(run.faults),
        **run.findings.figures(),
        settle_seconds=run.settled,
        **whole,
    )
    assert not run.findings.breaches, run.where
    assert run.findings.acknowledged == len(run.driver.stage.stripe.engine.events()), run.where
    assert not run.driver.left(), run.where
    assert run.settled <= SETTLED_WITHIN, run.where
    assert run.faults.total() >= FAULTS[long], run.where


def test_what_the_receiver_acknowledges_is_stored_whatever_happens_to_postgres(run: Run, tell: Tell) -> None:
    """Each restart ends every session at once; whoever was not answered with 200 is told to come again."""
    answers = Counter(each.status for each in run.driver.history.all(Answered))
    stored = {row.event for row in run.books.inbox}
    without = [
        each.event
        for each in run.driver.history.all(Answered)
        if each.acknowledged and each.event not in stored
    ]
    tell(
        "F4",
        seed=run.driver.seed,
        faults=run.faults["postgres restarted"],
        acknowledged=answers[200],
        unavailable=answers[503],
        unanswered=answers[None],
        lost=len(without),
    )
    assert run.faults["postgres restarted"]
    assert not without, run.where


def test_a_mail_server_that_falls_silent_gets_no_mail_twice(run: Run, tell: Tell) -> None:
    """What it took without a word is unknown and is not sent again; what it refused is."""
    answers = Counter(each.answer for each in run.driver.history.all(Mailed))
    tell(
        "F8",
        seed=run.driver.seed,
        mails=answers["accepted"],
        refused=answers["refused"],
        silent=answers["silence"],
        unknown=len(run.findings.unknown),
        delivered_twice=len(run.findings.doubled),
    )
    assert not run.findings.doubled, run.where
    at_hand = MOST_AT_HAND * run.faults["mailer killed"]
    assert answers["silence"] <= len(run.findings.unknown) <= answers["silence"] + at_hand


def test_without_faults_it_is_fast(run: Run, tell: Tell) -> None:
    """The figures before the storm, with the memory of each process, as this machine has them."""
    tell("F20", seed=run.driver.seed, **run.steady)
    assert run.steady["ack_p50_ms"] < 1000


def test_what_was_killed_was_started_again(run: Run) -> None:
    """A control: the kills were real, and nothing has ended otherwise."""
    said = {"receiver": "receiver", "worker": "worker", "mailer": "worker"} | dict.fromkeys(
        SCHEDULERS, "scheduler"
    )
    for name, word in said.items():
        log = (run.driver.stage.logs / f"{name}.log").read_text()
        # A process may be killed once more before it says that it has started.
        kills = run.faults[f"{name} killed"]
        assert 1 + bool(kills) <= log.count(f'"{word}.started"') <= 1 + kills, name
