"""Subscriptions that end or stop: by the customer, by Stripe, for want of payment; who pays afterwards."""

import pytest

from sandbox.stripe import Card, RetryPolicy, custom_schedule
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import subscriber
from tests.scenarios.world import PLAIN, TEAM_ADDRESS, World

DAY = 86_400
ONCE = custom_schedule(30, at_end="past_due")


def test_a_voluntary_cancellation_keeps_access_to_the_end(world: World) -> None:
    """Cancelled at the period's end: access until then, none after, and not one mail."""
    story = subscriber(world).until(-30)
    world.stripe.engine.cancel(story.subscription, at_period_end=True)
    world.settle()
    assert story.level() == ("full", "cancels_at_period_end")

    story.until(20)

    assert story.access() == [(-31, "full", "good_standing"), (0, "revoked", "canceled")]
    assert story.mails() == story.calls() == []


def test_cancelling_while_past_due_stops_the_mails(world: World) -> None:
    """Who leaves anyway gets no further notice, and warnings only of what ends: nobody has paid for it."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(1)
    world.stripe.engine.cancel(story.subscription, at_period_end=True)
    story.until(29)

    assert story.mails() == [
        (0, "payment_failed 1"),
        (11, "final_warning 72h"),
        (13, "final_warning 24h"),
        (14, "access_ended"),
    ]
    assert story.access() == [
        (-31, "full", "good_standing"),
        (0, "warned", "payment_failed"),
        (14, "revoked", "grace_expired"),
    ]
    assert story.level() == ("revoked", "canceled")


def test_cancelling_at_once_while_past_due_ends_it_without_a_word(world: World) -> None:
    """The customer asked for it and needs no mail about it."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(1)
    world.stripe.engine.cancel(story.subscription)
    story.until(20)

    assert story.mails() == [(0, "payment_failed 1")]
    assert story.level() == ("revoked", "canceled")
    assert story.outcome() == "ended"


def test_taking_a_cancellation_back_takes_up_the_ladder(world: World) -> None:
    """Cancelled and kept again while past due: the next failure is told as ever."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(1)
    world.stripe.engine.cancel(story.subscription, at_period_end=True)
    story.until(4)
    world.stripe.engine.keep(story.subscription)
    story.until(14)

    assert [what for _, what in story.mails()][-3:] == [
        "final_warning 72h", "final_warning 24h", "access_ended"
    ]  # fmt: skip


def test_when_stripe_cancels_access_ends_at_once_with_one_mail(world: World) -> None:
    """Stripe's schedule ends before our grace: access goes with the subscription, and one mail says so."""
    story = subscriber(world, "insufficient_funds", retries=custom_schedule(1, 1)).until(20)

    assert story.mails() == [(0, "payment_failed 1"), (2, "access_ended")]
    assert story.access()[-1] == (2, "revoked", "canceled_for_nonpayment")
    text = story.text()
    assert "Your subscription has ended" in text
    assert "because we could not collect the payment" in text
    assert story.outcome() == "ended"


def test_a_cancelled_subscription_is_not_offered_for_payment(world: World) -> None:
    """Paying the old invoice brings nothing back: the mail leads to the merchant's own page instead."""
    story = subscriber(world, "insufficient_funds", retries=custom_schedule(1)).until(2)

    assert story.mails()[-1] == (1, "access_ended")
    assert "hosted/invoice" not in story.text()
    assert "Start again:\nhttps://merchant.example/billing" in story.text()
    assert "Open amount" not in story.text()


def test_class_19_paying_after_the_end_calls_a_person(world: World) -> None:
    """Money taken for a subscription that has ended gives no access by itself: the team is called."""
    story = subscriber(world, "insufficient_funds", retries=custom_schedule(1)).until(3)
    assert story.pay(Card())
    story.until(10)

    assert story.outcome() == "paid_after_end"
    assert story.calls() == [(3, "paid_after_end")]
    assert story.level() == ("revoked", "canceled_for_nonpayment")
    assert [what for _, what in story.mails()][-1] == "access_ended"


@pytest.mark.parametrize(
    ("end", "reason", "words"),
    [
        ("unpaid", "unpaid", "Your access ended on February 5, 2026."),
        ("pause", "paused_for_nonpayment", "has been paused since February 5, 2026"),
    ],
)
def test_stopped_for_nonpayment_revokes_at_once_and_payment_restores(
    world: World, end: str, reason: str, words: str
) -> None:
    """Unpaid or paused by Stripe: access ends that day with one mail, and returns with the payment."""
    story = subscriber(world, "insufficient_funds", retries=RetryPolicy(delays=(3 * DAY,), at_end=end))  # type: ignore[arg-type]  # one of the literals
    story.until(10)

    assert story.mails()[0] == (0, "payment_failed 1")
    assert story.mails()[-1] == (3, "access_ended")
    assert story.access()[-1] == (3, "revoked", reason)
    assert words in story.text()
    assert f"{story.invoice.hosted_url}" in story.text()

    assert story.pay(Card())
    assert story.level() == ("full", "good_standing")
    assert story.mails()[-1] == (10, "recovered")
    assert "Your access is back" in story.text()


def test_left_past_due_by_stripe_our_grace_decides(world: World) -> None:
    """Stripe's schedule ends with the subscription past due: grace and warnings are ours."""
    story = subscriber(world, "insufficient_funds", retries=custom_schedule(1, at_end="past_due")).until(20)

    assert story.status == "past_due"
    assert story.access()[-1] == (14, "revoked", "grace_expired")


def test_the_limited_policy_limits_instead_of_revoking(make_world: MakeWorld) -> None:
    """With `limited` the words and the level are those of a limit, and payment lifts it."""
    world = make_world(policy=PLAIN.model_copy(update={"at_expiry": "limited"}))
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(16)

    assert story.access()[-1] == (14, "limited", "grace_expired")
    subjects = [mail.subject for mail in story.inbox[-3:]]
    assert subjects == [
        "Your access to Acme will be limited from February 16, 2026",
        "Reminder: your access to Acme will be limited from February 16, 2026",
        "Your access to Acme is limited",
    ]
    assert not any("ends on" in mail.text for mail in story.inbox)
    assert story.pay(Card())
    assert story.level() == ("full", "good_standing")


def test_a_deleted_customer_hears_nothing_more(world: World) -> None:
    """The customer is deleted at Stripe: no mail after that, and no access."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(1)
    world.stripe.engine.delete_customer(story.customer)
    story.until(20)

    assert story.mails() == [(0, "payment_failed 1")]
    assert story.calls() == []
    assert story.level() == ("revoked", "customer_deleted")


def test_class_12_a_first_payment_that_fails_is_not_dunned(world: World) -> None:
    """Nothing was granted, so nothing is dunned: no case, no mail, no call, and no access."""
    card = Card(outcomes=("insufficient_funds",))
    story = subscriber(world, card=card)
    assert story.level() == ("revoked", "first_payment_incomplete")

    story.until(20, stops=(-30,))

    assert story.status == "incomplete_expired"
    assert world.effects() == []
    assert world.inbox.to(TEAM_ADDRESS) == []


def test_a_trial_that_ends_without_payment_is_dunned(world: World) -> None:
    """The first real charge after a trial is a renewal: told and graced like one."""
    card = Card(outcomes=("insufficient_funds",))
    story = subscriber(world, card=card, trial_days=31, retries=custom_schedule(3, at_end="past_due"))
    assert story.level() == ("full", "trial")

    story.until(3)

    assert story.mails() == [(0, "payment_failed 1"), (3, "payment_failed 2")]
    assert story.level() == ("warned", "payment_failed")
