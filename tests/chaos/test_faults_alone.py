"""One kind of fault at a time, so that its own price can be told: `./run chaos -k alone`, some minutes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.merchant import DOMAIN
from tests.chaos.conftest import Tell
from tests.chaos.rig.checker import Findings
from tests.chaos.rig.driver import Driver, driving
from tests.chaos.rig.faults import POSTGRES_RESTARTED, REDIS_LOST, Strike, killed
from tests.chaos.rig.figures import applying, latencies, memory
from tests.chaos.rig.history import Answered, Mailed, Struck
from tests.chaos.rig.mail_service import MailService

pytestmark = [pytest.mark.only_long, pytest.mark.timeout(600)]
ONE_SEED = True

PACE = 0.6  # steps a second; a step is some 25 events
TIMES = 5
SETTLED_WITHIN = 120.0  # what a busy machine has not caught up with by then is lost
# Seconds: a row of the inbox is handed out by the sweep when it has waited for ten, and the scheduler of the
# stage looks twice a second.
SWEPT_AFTER = 10.0
TICK = 0.5
MARGIN = 2.0
# A worker holds what it has taken up for twelve seconds; then a tick, and the time to catch up with the rest.
AGAIN_WITHIN = 20.0


@pytest.fixture(scope="module")
def driver(seed: int) -> Iterator[Driver]:
    """One stage for all of them: each begins when the one before has settled."""
    with driving("alone", seed) as driver:
        yield driver


def settled(driver: Driver) -> Findings:
    """Wait until all is done; fails where a promise was broken, whoever broke it."""
    driver.settle(SETTLED_WITHIN)
    findings = driver.findings(driver.books())
    assert not findings.breaches, driver.directory
    assert not driver.left()
    return findings


def arrivals(driver: Driver, clocks: int) -> tuple[float, int]:
    """Three people arrive on each of so many clocks, and Stripe tells all of it at once.

    When that began, and how many events it came to.
    """
    told, began = len(driver.stage.stripe.engine.events()), time.time()
    with driver.stage.stripe.delivery.held():
        for _ in range(clocks):
            driver.world.crowd.arrive()
    return began, len(driver.stage.stripe.engine.events()) - told


def slowest(driver: Driver, since: float, until: float) -> float:
    """The longest time from the commit of an event, received in between, to what it changed."""
    return round(max(applying(driver.books(), since, until), default=0.0), 2)


def test_a_steady_load_alone(driver: Driver, tell: Tell) -> None:
    """Half a minute without any fault."""
    since = time.time()
    with driver.world.living(PACE):
        driver.wait(30)
    until = time.time()
    sizes = memory(driver.stage)
    findings = settled(driver)
    answered = driver.history.all(Answered, since, until)
    figures = latencies(driver.history, driver.books(), DOMAIN, since, until)
    tell(
        "F20",
        events_per_second=round(len(answered) / (until - since), 1),
        **findings.figures(),
        **figures,
        **sizes,
    )


def test_redis_lost_alone_costs_a_sweep(driver: Driver, tell: Tell) -> None:
    """It is killed and comes back empty: what it carried is handed out once more, ten seconds later."""
    waits, events = [], 0
    for _ in range(TIMES):
        began, events = arrivals(driver, 4)
        driver.strike([Strike(REDIS_LOST, 0.0, 1.0)], 1.0)
        over = time.time()
        driver.wait(SWEPT_AFTER + TICK + MARGIN)
        waits.append(slowest(driver, began, over))
    findings = settled(driver)
    tell("F2", faults=TIMES, events_each=events, **findings.figures(), slowest_applied_seconds=max(waits))
    assert max(waits) <= SWEPT_AFTER + TICK + MARGIN
    assert min(waits) > TICK  # a control: each time something had lost its wake-up


def test_postgres_restarted_alone_is_answered_with_503(driver: Driver, tell: Tell) -> None:
    """Three seconds without a database, again and again: no 200 without a row."""
    since = time.time()
    with driver.world.living(PACE):
        for _ in range(TIMES):
            driver.wait(2)
            driver.strike([Strike(POSTGRES_RESTARTED, 0.0, 3.0)], 1.0)
    findings = settled(driver)
    answers = Counter(each.status for each in driver.history.all(Answered, since))
    tell("F4", faults=TIMES, **findings.figures(), unavailable=answers[503], unanswered=answers[None])
    assert answers[503]


def test_a_worker_killed_alone_amid_two_hundred_events(driver: Driver, tell: Tell) -> None:
    """Whatever it had in hand is somebody else's when its time is over, once."""
    waits, events = [], 0
    for _ in range(TIMES):
        began, events = arrivals(driver, 8)
        driver.wait(1)
        driver.strike([Strike(killed("worker"), 0.0, 0.0)], 1.0)
        over = time.time()
        settled(driver)
        waits.append(slowest(driver, began, over + 1.0))
        assert events >= 200
    findings = settled(driver)
    tell("F5", faults=TIMES, events_each=events, **findings.figures(), slowest_applied_seconds=max(waits))
    assert max(waits) <= AGAIN_WITHIN


def test_a_mail_server_alone_that_refuses_and_falls_silent(driver: Driver, tell: Tell) -> None:
    """4 % each: what is refused arrives later, what met with silence is unknown, nothing arrives twice."""
    since = time.time()
    before = driver.findings(driver.books()).unknown
    driver.answer_mails(MailService(driver.history, driver.seed))
    driver.mails.refused = driver.mails.silent = 0.04
    with driver.world.living(PACE):
        driver.wait(90)
    findings = settled(driver)
    answers = Counter(each.answer for each in driver.history.all(Mailed, since))
    unknown = len(findings.unknown) - len(before)
    tell("F8", **findings.figures() | {"unknown": unknown}, **answers)
    assert answers["silence"] == unknown
    assert not driver.history.all(Struck, since)
