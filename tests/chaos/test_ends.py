"""Every process of ours ends when it is told to, at work as it is, and leaves nobody behind (F15).

Two machines' worth of them, and three schedulers: whoever comes back goes on, and all is done once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.chaos.conftest import Tell
from tests.chaos.crew import COMMANDS, FIRST, SECOND, Crew, Way, kill, manned, terminate, terminate_group
from tests.chaos.rig.checker import Findings
from tests.chaos.rig.driver import Driver

STOPS_WITHIN = 25.0
SETTLED_WITHIN = 60.0
# Events that may be left when the next ones come: what a kill interrupts is tried again one by one.
FEW = 50

# The first machine's processes alone and the second's as a group, all in the middle of their work; then the
# power fails on both.
SHORT: tuple[Mapping[str, Way], ...] = (
    dict.fromkeys(FIRST, terminate) | dict.fromkeys(SECOND, terminate_group),
    dict.fromkeys(COMMANDS, kill),
)
LONG = (
    *SHORT,
    *(dict.fromkeys(COMMANDS, way) for way in (terminate, terminate_group, kill)),
    *({name: way} for name in FIRST for way in (terminate, terminate_group, kill)),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of it; `survivors` were left of those that had ended, `settled` are the seconds after all."""

    driver: Driver
    crew: Crew
    survivors: int
    findings: Findings
    settled: float


@pytest.fixture(scope="module")
def ended(seed: int, long: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """Customers whose renewals come in while the processes are ended and started again."""
    with ExitStack() as stack:
        driver, crew = stack.enter_context(manned(tmp_path_factory.mktemp("ends"), seed))
        survivors = 0
        with crew.asked():
            for ways in LONG if long else SHORT:
                driver.until(lambda: driver.left().events < FEW, SETTLED_WITHIN, "most is done")
                bring_work(driver)
                survivors += crew.end(ways)
                crew.start()
            settled = driver.settle(SETTLED_WITHIN)
        yield Ended(driver, crew, survivors, driver.findings(driver.books()), settled)


def bring_work(driver: Driver) -> None:
    """New customers come and the others' days pass, until there is something that waits."""
    for _ in range(2):
        driver.world.crowd.arrive()
    driver.world.crowd.move_all()
    driver.until(lambda: driver.left().events, 20, "there is work")


def test_each_kind_ends_in_time_and_leaves_nobody(ended: Ended, tell: Tell) -> None:
    """With 0 when it was asked to; within 25 seconds in any case."""
    exits = ended.crew.exits
    slowest = {kind: round(max(took for _, took in each), 2) for kind, each in exits.items()}
    tell(
        "F15",
        seed=ended.driver.seed,
        exits=sum(map(len, exits.values())),
        seconds=slowest,
        survivors=ended.survivors,
        **ended.findings.figures(),
        settle_seconds=ended.settled,
    )
    assert slowest.keys() == FIRST.keys()
    assert {code for each in exits.values() for code, _ in each} == {0, -9}
    assert max(slowest.values()) <= STOPS_WITHIN
    assert ended.survivors == 0


def test_nothing_is_lost_and_nothing_happens_twice(ended: Ended) -> None:
    """Four workers and three schedulers at once, on whatever machines, and all of it is done."""
    assert ended.findings.breaches == []
    assert not ended.driver.left()


def test_everybody_has_taken_part(ended: Ended) -> None:
    """A control: both machines worked, and all three schedulers were there."""
    logs = {
        name: "".join(log.read_text() for log in ended.crew.folder.glob(f"{name}.*.log")) for name in COMMANDS
    }
    assert all('"event.applied"' in logs[name] for name in ("worker", "worker-2"))
    assert all('"mail.sent"' in logs[name] for name in ("mailer", "mailer-2"))
    assert all('"scheduler.started"' in logs[name] for name in COMMANDS if name.startswith("scheduler"))
