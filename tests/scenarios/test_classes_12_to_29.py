"""Mistakes that other dunning systems made with access, endings, time and people; a guard for each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from sandbox.stripe import Card, custom_schedule, smart_retries
from tests.scenarios.arrivals import Manner
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

ONCE = custom_schedule(30, at_end="past_due")
TO_THE_END = custom_schedule(3, 5, 9, at_end="past_due")


@pytest.mark.parametrize("code", ["insufficient_funds", "requires_action", "stolen_card", "processing_error"])
def test_class_12_a_first_failure_takes_nothing(world: World, code: str) -> None:
    """Whatever the reason: full access with a banner, until the end of grace."""
    story = subscriber(world, code, retries=ONCE).until(0)

    assert story.level() == ("warned", "payment_failed")
    assert story.until_when() == 14


def test_class_13_failures_do_not_move_the_deadline(world: World) -> None:
    """Nine more failures, a new card that fails too, tries by hand: the end stays where it was."""
    story = subscriber(world, "insufficient_funds", retries=smart_retries("past_due"))
    ends = set()
    for day in (0, 1, 2, 5, 9, 10, 11, 13):
        story.until(day, stops=())
        if day in (2, 9):
            story.pay(Card("mastercard", "0341", outcomes=("generic_decline",)))
        ends.add(story.until_when())
    story.until(14, stops=())

    assert ends == {14}
    assert story.level() == ("revoked", "grace_expired")


def void(story: Story) -> None:
    story.world.stripe.engine.void_invoice(story.invoice)


def cancel(story: Story) -> None:
    story.world.stripe.engine.cancel(story.subscription)


def delete(story: Story) -> None:
    story.world.stripe.engine.delete_customer(story.customer)


def forgive(story: Story) -> None:
    story.world.stripe.engine.write_off(story.invoice)


@pytest.mark.parametrize("end", [void, cancel, delete, forgive])
@pytest.mark.parametrize("seed", [1, 2])
def test_class_15_nobody_is_dunned_for_what_is_over(
    make_world: MakeWorld, end: Callable[[Story], None], seed: int
) -> None:
    """Failed and then voided, cancelled, deleted or forgiven; the events arrive together, in any order."""
    world = make_world()
    story = subscriber(world, "processing_error", retries=ONCE, wall=True).until(-1, stops=(-1,))
    world.stripe.engine.advance(None, story.renewal)
    world.stripe.engine.advance(None, story.renewal + timedelta(hours=1))
    end(story)
    world.now = story.renewal + timedelta(hours=1)
    world.disorder, world.manner = Random(seed), Manner(batched=False)  # noqa: S311  # not a secret
    world.settle()
    story.until(20, stops=(3, 11, 13, 14, 15))

    assert story.mails() == story.calls() == []


def by_card(story: Story) -> None:
    story.pay(Card())


def past_stripe(story: Story) -> None:
    story.world.stripe.engine.pay_out_of_band(story.invoice)


def by_retry(story: Story) -> None:
    story.world.stripe.engine.save_card(story.customer, Card())
    story.until(17)


@pytest.mark.parametrize("way", [by_card, past_stripe, by_retry])
def test_class_16_whoever_pays_is_let_in_again(world: World, way: Callable[[Story], None]) -> None:
    """By card, past Stripe, or by a retry with a new card: access is back with the payment."""
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END).until(14.5)
    assert story.level()[0] == "revoked"
    way(story)
    world.settle()

    assert story.level() == ("full", "good_standing")
    assert story.mails()[-1][1] == "recovered"


def test_class_16_money_that_stripe_did_not_tell_us_of_keeps_access(world: World) -> None:
    """The payment's event never arrives: asked before the end, Stripe says paid, and nothing is taken."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(13)
    world.stripe.engine.pay_invoice(story.invoice, card=Card())
    world.hear()
    story.until(15)

    assert "revoked" not in [level for _, level, _ in story.access()]
    assert story.outcome() == "recovered"


def test_class_22_grace_is_fourteen_days_of_hours_across_a_change_to_summer_time(world: World) -> None:
    """Berlin's clocks go forward on 29 March 2026: the end is 336 hours later, shown in local time."""
    start = datetime(2026, 2, 20, 8, tzinfo=UTC)
    card = Card(outcomes=("ok", "insufficient_funds"), country="DE")
    story = subscriber(world, card=card, retries=ONCE, start=start).until(15)

    assert [what for _, what in story.mails()][-1] == "access_ended"
    assert story.access()[-1][0] == 14
    assert "February" not in story.text(3)
    assert "April 3, 2026 at 11:00 AM" in story.text(3)
    assert "about 3 days from now" in story.text(3)


def test_class_22_a_subscription_of_the_31st_is_dunned_in_february(world: World) -> None:
    """Renewed on the last day of a short month, graced into the next: every step on its day."""
    start = datetime(2026, 1, 31, 22, 30, tzinfo=UTC)
    story = subscriber(world, "insufficient_funds", retries=ONCE, start=start).until(15)

    assert story.renewal == datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    assert story.mails() == [
        (0, "payment_failed 1"),
        (3, "payment_failed 2"),
        (7, "payment_failed 3"),
        (11, "final_warning 72h"),
        (13, "final_warning 24h"),
        (14, "access_ended"),
    ]
    assert "March 14, 2026 at 11:30 PM GMT" in story.text(3)


def test_class_28_mails_follow_the_customers_address(world: World) -> None:
    """The address changes between two mails: the next one goes to the new address, none to the old one."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(5)
    world.change_customer(story.customer, email="ada@new.example")
    story.until(13)

    assert [mail.recipients for mail in world.inbox.messages] == [
        *[("ada@customer.example",)] * 2,
        *[("ada@new.example",)] * 3,
    ]


@pytest.mark.parametrize(
    "code", ["insufficient_funds", "authentication_required", "lost_card", "do_not_honor"]
)
def test_class_29_the_customer_hears_of_the_first_failure(world: World, code: str) -> None:
    """At once, not when all retries are used up."""
    story = subscriber(world, code, retries=TO_THE_END).until(0)

    assert story.mails() == [(0, "payment_failed 1")]
