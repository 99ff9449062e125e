"""Everything stands still for nine days: whoever was to get three mails meanwhile gets the newest alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from db import models
from dunning.policy import Policy
from tests.chaos.conftest import Tell
from tests.chaos.crowd import Crowd
from tests.scenarios.conftest import MakeWorld
from worker.queues import EVENTS, MAIL
from worker.usecases.advance_cases import advance_cases

DAYS = 9


def before_the_event_was_applied(crowd: Crowd) -> float:
    crowd.fail(EVENTS)
    return 0


def before_the_first_mail_was_sent(crowd: Crowd) -> float:
    """It was decided, and lies in the outbox since."""
    crowd.fail(MAIL)
    crowd.pass_to(1)
    crowd.world.run(advance_cases(crowd.world.services, crowd.customer_ids()))
    assert crowd.waiting("mail") != [[]]
    return 1


@pytest.mark.parametrize("lived", [before_the_event_was_applied, before_the_first_mail_was_sent])
def test_after_nine_days_the_newest_mail_comes_alone(
    make_world: MakeWorld, tell: Tell, lived: Callable[[Crowd], float]
) -> None:
    """The customer hears once of what is open, the team is called once, and the end keeps its warnings."""
    world = make_world(policy=Policy())
    crowd = Crowd(world, 1)
    crowd.pass_to(lived(crowd) + DAYS)
    crowd.recover()
    sent = [row.name for row in world.rows(models.outbox) if row.status == "sent"]
    mails, calls = sent.count("payment_failed"), sent.count("unresolved")
    tell("stale mails", outage_days=DAYS, began=lived.__name__, mails_at_once=mails, team_calls_at_once=calls)
    assert sorted(sent) == ["payment_failed", "unresolved"]
    [mail] = world.inbox.to("customer0@shop.example")
    assert mail.subject == "Your payment to Acme could not be completed"

    crowd.until(16)
    later = sorted(
        (row.id, row.name) for row in world.rows(models.outbox) if row.kind == "mail" and row.status == "sent"
    )
    assert [name for _, name in later] == ["payment_failed", "final_warning", "final_warning", "access_ended"]
