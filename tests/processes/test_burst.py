"""Kill everything in the middle of a burst of events: nothing is lost and nothing happens twice.

Real processes throughout: receiver, workers, scheduler, access API, Valkey, PostgreSQL, SMTP, and a simulated
Stripe that delivers each webhook until it is acknowledged, some of them twice and none in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from emails.message import message_id
from sandbox.demo.stage import stage
from sandbox.demo.story import Story
from sandbox.merchant import DOMAIN, TEAM_ADDRESS
from tests.processes.fire import Fire

CLOCKS = 7
BURST = 300  # events at least
SETTLED_WITHIN = 30.0  # seconds after the last fault

PAYS = Story(title="", name="Pays", email="")
FAILS = Story(title="", name="Fails", email="", outcomes=("do_not_honor",))
RECOVERS = Story(title="", name="Recovers", email="", outcomes=("do_not_honor", "ok"))


@pytest.fixture(scope="module")
def fire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fire]:
    """Thirty customers after four days on their test clocks, during which everything was killed once."""
    with stage(tmp_path_factory.mktemp("burst") / "stage", seed=7, restart=True) as scene:
        fire = Fire(scene, (PAYS, FAILS, RECOVERS), CLOCKS)
        before = len(fire.acknowledged())
        _burn(fire)
        fire.until(fire.settled, SETTLED_WITHIN, "everything is done after the last fault")
        assert len(fire.acknowledged()) - before >= BURST
        yield fire
        fire.close()


def _burn(fire: Fire) -> None:
    """Stripe goes on sending meanwhile: a clock is moved before each fault, and its events follow it."""
    clocks = iter([(clock, day) for day in (0, 3) for clock in fire.clocks])
    for name in ("worker", "receiver"):
        fire.advance(*next(clocks))
        fire.kill(name)
    fire.stage.valkey.kill()
    for _ in range(3):
        fire.advance(*next(clocks))
    fire.kill("scheduler")
    fire.stage.valkey.start()
    for _ in range(3):
        fire.advance(*next(clocks))
    fire.kill("mailer", "FROM outbox WHERE status = 'sending'")
    for clock, day in clocks:
        fire.advance(clock, day)
    fire.kill("worker")


def test_every_acknowledged_event_is_applied(fire: Fire) -> None:
    """What was answered with 2xx is in the inbox, and done or of no concern."""
    stored = {row.event_id: row.status for row in fire.rows("SELECT event_id, status FROM inbox")}
    assert fire.acknowledged() <= stored.keys()
    assert set(stored.values()) == {"done", "ignored"}


def test_no_mail_comes_twice_and_none_is_missing(fire: Fire) -> None:
    """Each mail that counts as sent arrived once; one that was on its way at a kill arrived once at most."""
    arrived = Counter(str(mail.message["Message-ID"]) for mail in fire.stage.inbox.messages)
    assert set(arrived.values()) == {1}
    decided = {
        message_id(row.step, DOMAIN): row.status
        for row in fire.rows("SELECT step, status FROM outbox WHERE channel = 'mail'")
    }
    assert {key for key, status in decided.items() if status == "sent"} <= arrived.keys() <= decided.keys()
    assert set(decided.values()) <= {"sent", "suppressed", "unknown"}


def test_everybody_whose_payment_fails_is_told(fire: Fire) -> None:
    """A failing customer has at least one decided mail, and a paying one has none."""
    told = Counter(
        row.ref
        for row in fire.rows(
            "SELECT customers.ref FROM outbox JOIN customers ON customers.id = outbox.customer_id"
            " WHERE outbox.status IN ('sent', 'unknown') AND outbox.kind = 'mail'"
        )
    )
    assert all(told[role.customer.id] >= 1 for role in fire.of(FAILS))
    assert not any(told[role.customer.id] for role in fire.of(PAYS))
    assert not fire.stage.inbox.to(TEAM_ADDRESS)


def test_access_and_cases_are_right(fire: Fire) -> None:
    """Whoever failed and did not pay is warned with an open case; everybody else has full access."""
    assert fire.access(fire.of(PAYS)) == {"full"}
    assert fire.access(fire.of(FAILS)) == {"warned"}
    assert fire.access(fire.of(RECOVERS)) == {"full"}
    cases = fire.rows("SELECT outcome, count(*) FROM cases GROUP BY outcome")
    assert {row.outcome: row.count for row in cases} == {None: CLOCKS, "recovered": CLOCKS}


def test_no_event_was_retired(fire: Fire) -> None:
    """Faults of ours cost no event one of its few attempts too many."""
    assert fire.rows("SELECT event_id, last_error FROM inbox WHERE status = 'dead'") == []


def test_each_process_was_started_again(fire: Fire) -> None:
    """A control: the kills were real, and somebody came back from each."""
    started = {"worker": "worker", "mailer": "worker", "scheduler": "scheduler", "receiver": "receiver"}
    logs = {name: (fire.stage.logs / f"{name}.log").read_text() for name in started}
    starts = {name: logs[name].count(f'"{said}.started"') for name, said in started.items()}
    assert starts == {"worker": 3, "mailer": 2, "scheduler": 2, "receiver": 2}
