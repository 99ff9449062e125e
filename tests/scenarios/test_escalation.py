"""A person is called once, when charges that really happened keep failing, or where mails cannot help."""

import pytest

from sandbox.stripe import Card, custom_schedule, smart_retries
from sandbox.stripe.errors import ApiError
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import plain, subscriber
from tests.scenarios.world import PLAIN, TEAM_ADDRESS, World

TO_THE_END = custom_schedule(3, 5, 4, at_end="past_due")


def test_three_failed_charges_call_the_team_once(world: World) -> None:
    """However many charges follow the third, the team hears of the case once."""
    story = subscriber(world, "insufficient_funds", retries=smart_retries("past_due")).until(16)

    assert len(story.charges) == 10
    assert story.calls() == [(2, "attempts")]


def test_the_team_is_told_all_it_needs(world: World) -> None:
    """Who, how much, why, since when, what was sent and what comes next, with links to Stripe."""
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END, name="Ada Example").until(8)

    [mail] = world.inbox.to(TEAM_ADDRESS)
    text = plain(mail)
    for fact in (
        "Ada Example", "ada@customer.example", "$19.00", "insufficient_funds", "Team plan",
        "3 charges have failed", "Failing since: February 2, 2026",
        "Access until: February 16, 2026", "10:00 AM UTC: Mail: payment failed",
        "10:00 AM UTC: Mail: access is about to end",
        f"https://dashboard.stripe.com/test/invoices/{story.invoice.id}",
    ):  # fmt: skip
        assert fact in text


def test_the_number_of_charges_is_configurable(make_world: MakeWorld) -> None:
    """With two, the second failed charge calls the team."""
    world = make_world(policy=PLAIN.model_copy(update={"escalate_after": 2}))
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END).until(9)

    assert story.calls() == [(3, "attempts")]


def test_class_10_attempts_that_were_counted_but_not_made_call_nobody(world: World) -> None:
    """A stolen card is charged once while Stripe counts four: no escalation, no "we tried again"."""
    story = subscriber(world, "stolen_card", retries=TO_THE_END).until(16)

    assert (len(story.charges), story.invoice.attempt_count) == (2, 4)
    assert story.calls() == []
    assert story.mails() == [
        (0, "payment_failed 1"),
        (3, "payment_failed 2"),
        (7, "payment_failed 3"),
        (11, "final_warning 72h"),
        (13, "final_warning 24h"),
        (14, "access_ended"),
    ]
    assert not any("tried again" in mail.text or "try again" in mail.text for mail in story.inbox)


def test_class_14_the_customers_own_tries_do_not_escalate(world: World) -> None:
    """Four tries by hand with a poor card on the first day are the customer's business."""
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END).until(1)
    for _ in range(4):
        assert not story.pay()
    story.until(2)

    assert story.calls() == []
    assert story.mails() == [(0, "payment_failed 1")]
    assert story.level() == ("warned", "payment_failed")

    story.until(8)
    assert story.calls() == [(8, "attempts")]


def test_without_a_card_there_is_nothing_to_count(world: World) -> None:
    """No payment method means no charge: nobody is escalated, however often Stripe counts."""
    story = subscriber(world, retries=TO_THE_END)
    world.stripe.engine.detach_card(story.card)
    story.until(10)
    with pytest.raises(ApiError):
        story.pay()

    assert story.calls() == []


def test_a_case_that_is_paid_before_the_team_is_told_is_no_escalation(world: World) -> None:
    """The third charge fails and the customer pays before anybody has looked: nobody is disturbed."""
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END).until(5)
    world.stripe.engine.advance(story.present_clock, story.now.replace(day=10))
    world.stripe.engine.pay_invoice(story.invoice, card=Card())
    world.settle()

    assert story.calls() == []
    assert story.mails()[-1][1] == "recovered"
