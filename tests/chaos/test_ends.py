"""Every process of ours ends when it is told to, at work as it is, and leaves nobody behind (F15).

Two machines' worth of them, and three schedulers: whoever comes back goes on, and all is done once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from emails.message import message_id
from sandbox.demo.stage import stage
from sandbox.merchant import DOMAIN
from tests.chaos.conftest import Tell
from tests.chaos.crew import COMMANDS, FIRST, SECOND, Crew, Way, kill, terminate, terminate_group
from tests.processes.fire import Fire
from tests.processes.test_burst import FAILS, PAYS, RECOVERS

STOPS_WITHIN = 25.0
SETTLED_WITHIN = 60.0
CLOCKS = 4

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


class Played:
    """What came of it."""

    def __init__(self, fire: Fire, crew: Crew, survivors: int) -> None:
        self.fire, self.crew, self.survivors = fire, crew, survivors
        self.mails = Counter(str(mail.message["Message-ID"]) for mail in fire.stage.inbox.messages)
        self.stored = {row.event_id: row.status for row in fire.rows("SELECT event_id, status FROM inbox")}
        self.applied = Counter(
            row.event
            for row in fire.rows("SELECT data->>'event' AS event FROM journal WHERE kind = 'event.applied'")
        )

    @property
    def lost(self) -> set[str]:
        return {
            event for event in self.fire.acknowledged() if self.stored.get(event) not in ("done", "ignored")
        }

    @property
    def twice(self) -> list[str]:
        return [each for counts in (self.mails, self.applied) for each, times in counts.items() if times > 1]


@pytest.fixture(scope="module", params=[1, 2, 3])
def played(
    request: pytest.FixtureRequest, long: bool, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    """Twelve customers, whose renewals come in while the processes are ended and started again."""
    if request.param > 1 and not long:
        pytest.skip("one seed in the short form")
    folder = tmp_path_factory.mktemp("ends")
    with ExitStack() as stack:
        scene = stack.enter_context(stage(folder / "stage", seed=request.param, programs=()))
        crew = Crew(scene, folder)
        stack.callback(crew.end_all)
        crew.start()
        fire = Fire(scene, (PAYS, FAILS, RECOVERS), CLOCKS)
        stack.callback(fire.close)
        survivors = burn(fire, crew, LONG if long else SHORT)
        yield Played(fire, crew, survivors)


def burn(fire: Fire, crew: Crew, rounds: tuple[Mapping[str, Way], ...]) -> int:
    """End them in each of these ways, each time at work; how many were left over."""
    survivors = 0
    moves = iter([(clock, day) for day in range(0, 60, 3) for clock in fire.clocks])
    with crew.asked():
        for ways in rounds:
            for _ in range(CLOCKS // 2):
                fire.advance(*next(moves))
            fire.until(lambda: fire.rows("SELECT 1 FROM inbox WHERE status = 'pending' LIMIT 1"), 20, "work")
            survivors += crew.end(ways)
            crew.start()
        fire.until(fire.settled, SETTLED_WITHIN, "everything is done after the last start")
    return survivors


def test_each_kind_ends_in_time_and_leaves_nobody(played: Played, tell: Tell) -> None:
    """With 0 when it was asked to; within 25 seconds in any case."""
    slowest = {kind: round(max(took for _, took in exits), 2) for kind, exits in played.crew.exits.items()}
    tell(
        "F15",
        seconds=slowest,
        exits=sum(map(len, played.crew.exits.values())),
        survivors=played.survivors,
        acknowledged=len(played.fire.acknowledged()),
        lost=len(played.lost),
        twice=len(played.twice),
    )
    assert slowest.keys() == FIRST.keys()
    assert {code for exits in played.crew.exits.values() for code, _ in exits} == {0, -9}
    assert max(slowest.values()) <= STOPS_WITHIN
    assert played.survivors == 0


def test_nothing_is_lost_and_nothing_happens_twice(played: Played) -> None:
    """Four workers and three schedulers at once, on whatever machines: each event and each mail once."""
    assert played.lost == set()
    assert played.twice == []
    decided = {
        message_id(row.step, DOMAIN): row.status
        for row in played.fire.rows("SELECT step, status FROM outbox WHERE channel = 'mail'")
    }
    assert {key for key, status in decided.items() if status == "sent"} <= played.mails.keys()
    assert set(decided.values()) <= {"sent", "suppressed", "unknown"}


def test_everybody_has_taken_part(played: Played) -> None:
    """A control: both machines worked, and all three schedulers were there."""
    logs = {
        name: "".join(log.read_text() for log in played.crew.folder.glob(f"{name}.*.log"))
        for name in COMMANDS
    }
    assert all('"event.applied"' in logs[name] for name in ("worker", "worker-2"))
    assert all('"mail.sent"' in logs[name] for name in ("mailer", "mailer-2"))
    assert all('"scheduler.started"' in logs[name] for name in COMMANDS if name.startswith("scheduler"))
