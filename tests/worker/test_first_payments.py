"""A first payment that is not complete: three mails within a day, and nothing that could be taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from db import models
from sandbox.stripe import Card
from sandbox.stripe.records import Customer, Subscription
from tests.scenarios.story import Story
from tests.scenarios.world import START, World

HOURS = (0.25, 4, 18)


@dataclass
class Trial:
    """Somebody who subscribes with a card that declines, by the wall clock or a test clock."""

    world: World
    story: Story

    def until(self, hour: float, stops: Iterable[float] = (*HOURS, 10, 23)) -> Trial:
        """Live on, hours since the failure."""
        for stop in sorted({*stops, hour}):
            to = START + timedelta(hours=stop)
            if stop <= hour and self.story.now < to:
                self.world.advance(self.story.present_clock, to)
        return self

    @property
    def mails(self) -> list[tuple[float, str]]:
        """(hour, mail) of what was decided, by the time of the decision."""
        rows = sorted(self.world.rows(models.outbox), key=lambda row: row.id)
        hour = timedelta(hours=1)
        return [((row.created_at - START) / hour, row.step) for row in rows if row.status == "sent"]


@pytest.fixture(params=[True, False], ids=["wall clock", "test clock"])
def trial(world: World, request: pytest.FixtureRequest) -> Trial:
    """The first charge has just been declined."""
    engine = world.stripe.engine
    clock = None if request.param else engine.create_clock(START)
    customer: Customer = engine.create_customer(
        "ada@customer.example", clock=clock, card=Card(outcomes=("insufficient_funds",))
    )
    bought: Subscription = engine.create_subscription(customer, engine.create_price(product_name="Team plan"))
    world.settle()
    world.tick()
    assert bought.status == "incomplete"
    return Trial(world, Story(world, clock, customer, bought, "ada@customer.example", START))


def test_three_mails_within_a_day(trial: Trial) -> None:
    """After 15 minutes, 4 hours and 18 hours; then the offer is over and nobody says another word."""
    ref = trial.story.invoice.id
    trial.until(23.5)
    assert trial.story.status == "incomplete_expired"
    assert trial.mails == [(hour, f"first_payment:{ref}:{n}") for n, hour in enumerate(HOURS, 1)]
    trial.until(24 * 30, stops=(24, 48, 24 * 10, 24 * 14))
    assert len(trial.story.inbox) == 3
    assert trial.story.calls() == []


def test_class_12_nothing_was_granted_and_nothing_is_taken(trial: Trial) -> None:
    """No grace, no warning, no deadline and no revocation of ours."""
    trial.until(24 * 20, stops=(*HOURS, 24, 24 * 11, 24 * 14))
    assert [row.kind for row in trial.story.journal() if row.kind.startswith("access.")] == ["access.changed"]
    assert trial.story.level() == ("revoked", "first_payment_incomplete")
    assert trial.story.until_when() is None
    (case,) = trial.world.rows(models.cases)
    assert (case.taken_at, case.limited_at, case.due_at, case.outcome) == (None, None, None, "voided")
    assert [row.reason for row in trial.story.journal() if row.kind == "case.opened"] == [
        "a first payment failed"
    ]


@pytest.mark.parametrize("hour", [0.1, 1.0, 5.0])
def test_class_2_once_it_is_paid_nobody_hears_of_it_any_more(trial: Trial, hour: float) -> None:
    """Access begins; whoever was told gets a receipt."""
    told = sum(each <= hour for each in HOURS)
    trial.until(hour)
    assert len(trial.story.inbox) == told
    assert trial.story.pay(Card())
    trial.until(48)
    assert trial.story.level() == ("full", "good_standing")
    first = [mail for _, mail in trial.mails if mail.startswith("first_payment")]
    assert len(first) == told


def test_class_29_hours_that_were_missed_are_one_mail(trial: Trial) -> None:
    """Everything was away for five hours: the newest mail is sent, not two at once."""
    trial.until(5, stops=())
    assert [mail.rpartition(":")[2] for _, mail in trial.mails] == ["2"]


def test_it_says_until_when(trial: Trial) -> None:
    """Stripe holds an incomplete subscription for 23 hours."""
    trial.until(0.25)
    text: Any = trial.story.text()
    assert "January 3, 2026" in text
