"""A charge of our own: made once, learned at once, and not at all for whoever has just paid."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db import models
from sandbox.stripe import Card, Fault, RetryPolicy
from tests.scenarios.conftest import MakeWorld
from tests.worker.breaking import later, release, trip
from tests.worker.calling import Calling, calling, disturbed
from worker.usecases.outcomes import FIRST_WAIT, LONGEST_WAIT, MOST_ATTEMPTS

# Stripe's library hands httpx a body in a way that httpx is about to give up.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


class ProcessEndedError(BaseException):
    """Stands for kill -9: nobody catches it, nothing is written down after it."""


async def end_of_process() -> None:
    raise ProcessEndedError


def killed(one: Calling, moment: str) -> None:
    """The process ends right before or right after Stripe was asked."""
    with pytest.raises(ProcessEndedError):
        one.carry_out(disturbed(one.world, **{moment: end_of_process}))


def test_a_declined_charge_is_in_the_ledger_at_once(make_world: MakeWorld) -> None:
    """Before its event: the next rung and the ceilings of the card count from it."""
    one = calling(make_world, "do_not_honor")
    one.carry_out()
    assert (one.status, one.charges, one.ledger) == ("sent", 2, 2)
    assert one.said("retry.sent") == ["declined: do_not_honor"]
    assert one.story.level()[0] == "warned"
    one.world.settle()
    one.world.tick()
    assert (one.charges, one.ledger) == (2, 2)


def test_a_charge_that_goes_through_closes_the_case_at_once(make_world: MakeWorld) -> None:
    """Access and receipt follow in the same transaction, before Stripe's event."""
    one = calling(make_world, "ok")
    one.carry_out()
    assert (one.status, one.charges, one.story.outcome()) == ("sent", 2, "recovered")
    assert one.story.level() == ("full", "good_standing")
    assert [step.partition(":")[0] for step, _ in one.world.effects()][-1] == "recovered"
    one.world.settle()
    assert [mail for _, mail in one.story.mails()].count("recovered") == 1
    assert one.said("case.closed") == ["recovered"]


def test_the_schedule_is_charged_through(make_world: MakeWorld) -> None:
    """By the queue, each rung once: day 3, a payday two days later at least, day 8 and day 12; a person is
    called after the third."""
    one = calling(make_world)
    one.world.held = set()
    one.later()
    one.world.tick()
    one.story.until(13, stops=[day / 4 for day in range(16, 52)])
    renewal = [each for each in one.story.charges if each.invoice == one.story.invoice.id]
    assert len(renewal) == 5
    steps = [step for step, status in one.world.effects() if step.startswith("retry") and status == "sent"]
    assert steps == [f"retry:{one.story.invoice.id}:{number}" for number in (1, 2, 3, 4)]
    assert [call for _, call in one.story.calls()] == ["attempts"]
    assert len(one.keys()) == 4


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("outcome", ["do_not_honor", "ok"])
def test_class_7_killed_after_it_was_handed_over_it_is_charged_once(
    make_world: MakeWorld, moment: str, outcome: str
) -> None:
    """Nobody knows whether Stripe was asked: it is asked again with the same key, by anybody."""
    one = calling(make_world, outcome)
    killed(one, moment)
    assert (one.status, one.charges) == ("sending", 2 if moment == "after" else 1)
    one.carry_out()
    assert one.status == "sending"

    one.later()
    one.carry_out()
    assert (one.status, one.charges) == ("sent", 2)
    assert one.keys() == {f"dunning:retry:{one.story.invoice.id}:1"}
    assert (one.story.outcome() == "recovered") is (outcome == "ok")


@pytest.mark.parametrize("outcome", ["do_not_honor", "ok"])
def test_killed_and_the_news_of_the_charge_came_first_nobody_says_it_was_not_made(
    make_world: MakeWorld, outcome: str
) -> None:
    """It was made all the same: paid, the step is pointless; declined, the same key tells once more."""
    one = calling(make_world, outcome)
    killed(one, "after")
    one.world.settle()
    one.later()
    one.carry_out()
    assert (one.status, one.charges) == ("unknown" if outcome == "ok" else "sent", 2)


def test_class_7_ten_workers_charge_once(make_world: MakeWorld) -> None:
    """One of them has the claim."""
    one = calling(make_world, "do_not_honor")
    one.world.all_at_once(*(one.call() for _ in range(10)))
    assert (one.status, one.charges, one.effect.attempts) == ("sent", 2, 1)


def test_class_7_a_worker_that_slept_through_its_lease_charges_nothing_more(make_world: MakeWorld) -> None:
    """It wakes up with Stripe's answer, and finds that somebody else was given it, too."""
    one = calling(make_world, "do_not_honor", "ok")

    async def sleep() -> None:
        await one.world.stage.let_pass(timedelta(minutes=2))
        await one.call()

    one.carry_out(disturbed(one.world, before=sleep))
    assert (one.status, one.charges, one.effect.attempts) == ("sent", 2, 2)
    assert one.said("retry.sent") == ["declined: do_not_honor"]


def test_class_15_who_has_paid_meanwhile_is_not_charged(make_world: MakeWorld) -> None:
    """The event came between the decision and the charge."""
    one = calling(make_world)
    assert one.story.pay(Card())
    one.carry_out()
    assert (one.status, one.charges, one.keys()) == ("suppressed", 2, set())


def test_class_15_who_pays_in_this_second_is_not_charged(make_world: MakeWorld) -> None:
    """We have not heard of it, but Stripe knows."""
    one = calling(make_world)
    one.world.stripe.engine.pay_invoice(one.story.invoice, card=Card())
    one.carry_out()
    assert (one.status, one.charges, one.story.outcome()) == ("sent", 2, "recovered")
    (reason,) = one.said("retry.sent")
    assert reason is not None
    assert reason.startswith("refused")


@pytest.mark.parametrize("after", [False, True], ids=["not charged", "charged, but the answer was lost"])
def test_without_stripe_it_is_postponed_with_the_same_key(make_world: MakeWorld, after: bool) -> None:
    """Longer each time; the card is charged once, whether or not the first call was carried out."""
    one = calling(make_world, "do_not_honor")
    one.world.stripe.faults.add(Fault(match="/pay$", status=500, times=1000, after=after))
    one.carry_out()
    assert (one.status, one.effect.attempts) == ("pending", 1)
    one.carry_out()
    assert one.effect.attempts == 1
    one.later(FIRST_WAIT)
    one.carry_out()
    assert (one.status, one.effect.attempts) == ("pending", 2)

    one.world.stripe.faults.clear()
    one.later(2 * FIRST_WAIT)
    one.carry_out()
    assert (one.status, one.charges, one.ledger) == ("sent", 2, 2)
    assert one.keys() == {f"dunning:retry:{one.story.invoice.id}:1"}


def test_without_stripe_for_a_working_day_it_is_given_up(make_world: MakeWorld) -> None:
    """The next rung is soon enough; nobody claims that it was not charged."""
    one = calling(make_world)
    one.world.stripe.faults.add(Fault(match="/pay$", status=503, times=1000))
    for _ in range(MOST_ATTEMPTS):
        one.carry_out()
        one.later(LONGEST_WAIT)
    assert (one.status, one.effect.attempts) == ("unknown", MOST_ATTEMPTS)
    one.carry_out()
    assert one.effect.attempts == MOST_ATTEMPTS


def test_that_the_ledger_cannot_be_read_back_costs_nothing(make_world: MakeWorld) -> None:
    """The charge's event says the same a moment later."""
    one = calling(make_world, "do_not_honor")
    one.world.stripe.faults.add(Fault(match="GET /v1/invoices", status=500, times=3))
    one.carry_out()
    assert (one.status, one.ledger) == ("sent", 1)
    one.world.stripe.faults.clear()
    one.world.settle()
    assert (one.charges, one.ledger) == (2, 2)


def test_a_tripped_breaker_holds_it(make_world: MakeWorld) -> None:
    """Uncounted; once released it is charged."""
    one = calling(make_world, "do_not_honor", wall=True)
    trip(one.world)
    one.carry_out()
    assert (one.status, one.charges, one.effect.attempts) == ("pending", 1, 0)
    release(one.world)
    one.world.held = set()
    later(one.world)
    assert (one.status, one.charges) == ("sent", 2)


def test_a_tripped_breaker_holds_what_a_killed_worker_left(make_world: MakeWorld) -> None:
    """To ask again may be what charges the card."""
    one = calling(make_world, "do_not_honor")
    killed(one, "before")
    trip(one.world)
    one.later()
    one.carry_out()
    assert (one.status, one.charges) == ("pending", 1)


def test_a_card_that_stripe_charges_itself_is_left_to_stripe(make_world: MakeWorld) -> None:
    """Two engines on one invoice would double the attempts (class 34)."""
    with pytest.raises(ValueError, match="not enough values"):
        calling(make_world, retries=RetryPolicy(delays=(5 * 86_400,), at_end="past_due"))


def test_an_unknown_row_is_nobodys(make_world: MakeWorld) -> None:
    """The wake-up of a row that is gone."""
    one = calling(make_world)
    one.row = 404
    one.world.run(one.call())
    assert {row.status for row in one.world.rows(models.outbox) if row.kind == "retry"} == {"pending"}


def test_a_charge_of_which_stripe_never_says_what_came_is_a_persons(make_world: MakeWorld) -> None:
    """The card may have been charged, and the customer may believe so."""
    one = calling(make_world)
    one.world.stripe.faults.add(Fault(match="/pay$", status=503, times=1000))
    for _ in range(MOST_ATTEMPTS):
        one.carry_out()
        one.later(LONGEST_WAIT)
    assert (one.status, one.story.calls()) == ("unknown", [])
    one.world.tick()
    one.world.tick()
    assert [what for _, what in one.story.calls()] == ["charge_unconfirmed 1"]
