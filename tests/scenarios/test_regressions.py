"""Faults that were found in walks of the calendar, each with the walk that found it."""

from datetime import timedelta

import pytest

from dunning.policy import Policy
from sandbox.stripe import Card, custom_schedule
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import subscriber
from tests.scenarios.world import PLAIN, World

ONCE = custom_schedule(30, at_end="past_due")
TO_THE_END = custom_schedule(3, 5, 4, at_end="past_due")


def test_an_address_corrected_in_the_second_of_a_reading_is_the_one_that_counts(world: World) -> None:
    """A test clock stands still: what was read back a moment ago is no newer than the change after it."""
    story = subscriber(world, "do_not_honor", retries=ONCE).until(0)
    world.change_customer(story.customer, email="ada@new.example")
    story.until(3)

    assert [mail.recipients for mail in world.inbox.messages] == [
        ("ada@customer.example",),
        ("ada@new.example",),
    ]


def test_a_cancellation_in_the_second_of_a_reading_counts(world: World) -> None:
    """The same of a subscription that is to end with its period."""
    story = subscriber(world, "do_not_honor", retries=ONCE).until(0)
    world.stripe.engine.cancel(story.subscription, at_period_end=True)
    world.settle()
    story.until(8)

    assert story.mails() == [(0, "payment_failed 1")]


def test_who_has_paused_is_not_warned_of_an_end(world: World) -> None:
    """Paused on request while past due: there is no access that could end, and no warning says so."""
    story = subscriber(world, "do_not_honor", retries=ONCE).until(5)
    world.stripe.engine.pause(story.subscription)
    world.settle()
    story.until(20)

    assert not {"final_warning", "access_ended"} & {what.split()[0] for _, what in story.mails()}
    assert story.level() == ("revoked", "paused")


def test_the_failure_of_a_new_card_after_3d_secure_is_told(world: World) -> None:
    """The first payment waited for the bank and was no charge; the expired card given then is told of."""
    story = subscriber(world, "requires_action", retries=ONCE).until(2.5)
    assert not story.pay(Card(outcomes=("expired_card",), country="GB"))
    story.until(2.9)

    assert [what for _, what in story.mails()] == ["payment_failed 1", "payment_failed new_reason"]
    assert "has expired" in story.text()


def test_tries_by_hand_on_a_hard_declined_card_fill_no_position_of_stripes(world: World) -> None:
    """Counted by Stripe but never charged: the customer's own charges do not take their place."""
    story = subscriber(world, "stolen_card", retries=TO_THE_END).until(1)
    for _ in range(3):
        assert not story.pay()
    story.until(13)

    assert story.invoice.attempt_count == 4
    assert len(story.charges) == 5
    assert story.calls() == []


def test_a_new_card_after_a_hard_decline_counts_as_ever(world: World) -> None:
    """What Stripe charges to another card is charged again, and the team is called for the third."""
    story = subscriber(world, "stolen_card", retries=TO_THE_END).until(1)
    world.stripe.engine.save_card(
        story.customer, Card("mastercard", "4444", outcomes=("do_not_honor",), country="GB")
    )
    world.settle()
    story.until(9)

    assert len(story.charges) == 4
    assert story.calls() == [(8, "attempts")]


@pytest.mark.parametrize(
    ("policy", "ends"),
    [
        (Policy(), [(14, "access_ended")]),
        (
            PLAIN.model_copy(update={"at_expiry": "limited"}),
            [(14, "access_ended"), (17, "access_ended stopped")],
        ),
    ],
    ids=["limited on the way", "limited as the end"],
)
def test_who_was_limited_is_told_when_stripe_ends_it(
    make_world: MakeWorld, policy: Policy, ends: list[tuple[float, str]]
) -> None:
    """Limited by us and cancelled by Stripe: the end is told, once."""
    last = 17 if len(ends) == 2 else 14
    retries = custom_schedule(3, 5, last - 8, at_end="cancel")
    story = subscriber(make_world(policy=policy), "do_not_honor", retries=retries).until(20)

    assert [mail for mail in story.mails() if mail[1].startswith("access_ended")] == ends
    assert story.level() == ("revoked", "canceled_for_nonpayment")
    assert "Your subscription has ended" in story.text()


def test_a_cancellation_keeps_a_later_period_that_was_paid_for(world: World) -> None:
    """The old invoice is open, the new month is paid: access lasts to its end."""
    story = subscriber(world, "do_not_honor", "ok", retries=ONCE).until(13)
    assert story.now < story.renewal + timedelta(days=14)
    assert story.pay(Card(country="GB"))
    world.stripe.engine.cancel(story.subscription, at_period_end=True)
    world.settle()
    story.until(20)

    assert story.level() == ("full", "cancels_at_period_end")
