"""The negative controls with real processes that lack one guard: the checker has to find out."""

from __future__ import annotations

import pytest

from tests.chaos.conftest import Tell
from tests.chaos.rig import weakened
from tests.chaos.rig.checker import Findings
from tests.chaos.rig.driver import COMMANDS, Driver, driving
from tests.chaos.rig.faults import REDIS_LOST, Strike, frozen
from tests.chaos.rig.history import Mailed
from tests.chaos.rig.mail_service import MailService

pytestmark = [pytest.mark.only_long, pytest.mark.timeout(300)]
ONE_SEED = True

PACE = 0.8
SETTLED_WITHIN = 30.0
WORKER = ("worker", "--queues", "events,cases")
MAILER = ("worker", "--queues", "mail,team,billing,webhooks")


def found(driver: Driver, tell: Tell, control: str) -> Findings:
    """What the checker says after all has settled, or could not."""
    driver.settle(SETTLED_WITHIN)
    findings = driver.findings(driver.books())
    tell(f"control: {control}", **findings.figures())
    return findings


def test_without_a_sweeper_events_are_lost(seed: int, tell: Tell) -> None:
    """No scheduler runs, and Redis loses what it carried."""
    commands = {name: line for name, line in COMMANDS.items() if "scheduler" not in name}
    with driving("no-sweeper", seed, commands) as driver:
        with driver.world.living(PACE):
            driver.strike([Strike(REDIS_LOST, 2.0, 1.0)] * 4, 20)
        assert found(driver, tell, "no sweeper").lost


def test_without_the_row_lock_events_are_applied_twice(seed: int, tell: Tell) -> None:
    """Each of two workers is frozen amid 350 events, for longer than its hold on what it has taken up."""
    names = ("worker", "worker-2")
    commands = dict(COMMANDS) | {name: weakened.command_line("row lock", *WORKER) for name in names}
    with driving("no-row-lock", seed, commands) as driver:
        for name in names:
            with driver.stage.stripe.delivery.held():
                for _ in range(8):
                    driver.world.crowd.arrive()
            driver.strike([Strike(frozen(name), 1.0, 14.0)], 2.0)
        assert found(driver, tell, "no row lock").twice


def test_without_the_unique_key_events_are_applied_twice(seed: int, tell: Tell) -> None:
    """What Stripe sends a second time is a second row."""
    commands = dict(COMMANDS) | {"receiver": weakened.command_line("unique key", "receiver")}
    with driving("no-unique-key", seed, commands) as driver:
        driver.execute(weakened.DROPPED_KEY)
        with driver.world.living(PACE):
            driver.wait(15)
        assert found(driver, tell, "no unique key").twice


@pytest.mark.parametrize("keys", [True, False])
def test_without_idempotency_keys_mails_that_are_sent_again_arrive_twice(
    seed: int, keys: bool, tell: Tell
) -> None:
    """A mailer that takes silence for a refusal: only a service that knows each mail by its key keeps one."""
    commands = dict(COMMANDS) | {"mailer": weakened.command_line("silence is no refusal", *MAILER)}
    settings = {"DUNNING_MAIL_SERVICE": "resend"}
    with driving(f"keys-{keys}", seed, commands, settings) as driver:
        driver.answer_mails(MailService(driver.history, seed, keys=keys))
        driver.mails.silent = 0.25
        with driver.world.living(PACE):
            driver.wait(25)
        findings = found(driver, tell, f"sent again, {'with' if keys else 'without'} keys")
        assert bool(findings.doubled) is not keys
        assert any(each.answer == "silence" for each in driver.history.all(Mailed))
