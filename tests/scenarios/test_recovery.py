"""A payment ends it: nothing more is sent, and what was taken is given back."""

from sandbox.stripe import Card, custom_schedule
from tests.scenarios.story import subscriber
from tests.scenarios.world import World


def test_a_retry_that_works_is_followed_by_a_receipt(world: World) -> None:
    """Told of the failure, the customer is told of the payment, and access was never touched."""
    story = subscriber(world, "insufficient_funds", "ok").until(20)

    assert story.mails() == [(0, "payment_failed 1"), (3, "recovered")]
    assert story.calls() == []
    assert story.access() == [
        (-31, "full", "good_standing"),
        (0, "warned", "payment_failed"),
        (3, "full", "good_standing"),
    ]
    assert story.outcome() == "recovered"


def test_a_new_card_that_is_charged_ends_it(world: World) -> None:
    """The customer follows the link and pays with another card: a receipt, and no retry is left to do."""
    story = subscriber(world, "expired_card").until(2)

    assert story.pay(Card("mastercard", "4444"))
    story.until(20)

    assert story.mails() == [(0, "payment_failed 1"), (2, "recovered")]
    assert "We received $19.00" in story.text()
    assert "continues without interruption" in story.text()
    assert "Your access is back" not in story.text()


def test_a_card_saved_without_paying_is_charged_by_the_retry(world: World) -> None:
    """A new default card retries nothing by itself; the next retry uses it."""
    story = subscriber(world, "stolen_card").until(1)
    world.stripe.engine.save_card(story.customer, Card("mastercard", "4444"))
    world.settle()
    assert story.outcome() is None

    story.until(4)

    assert story.mails() == [(0, "payment_failed 1"), (3, "recovered")]


def test_who_never_pays_is_warned_twice_then_revoked_and_comes_back_by_paying(world: World) -> None:
    """Warnings 72 and 24 hours before, the end on day 14, and a late payment gives everything back."""
    story = subscriber(world, "insufficient_funds", retries=custom_schedule(3, 5, 4, at_end="past_due"))
    story.until(13.9)
    assert story.level() == ("warned", "payment_failed")

    story.until(20)
    assert story.pay(Card())

    assert story.mails() == [
        (0, "payment_failed 1"),
        (3, "payment_failed 2"),
        (7, "payment_failed 3"),
        (11, "final_warning 72h"),
        (13, "final_warning 24h"),
        (14, "access_ended"),
        (20, "recovered"),
    ]
    assert story.calls() == [(8, "attempts")]
    assert [(day, level) for day, level, _ in story.access()] == [
        (-31, "full"),
        (0, "warned"),
        (14, "revoked"),
        (20, "full"),
    ]
    assert "Your access is back, just as it was before." in story.text()


def test_nobody_is_told_that_access_is_back_which_was_never_taken_in_this_case(world: World) -> None:
    """A subscription that was stopped for non-payment long ago: today's recovery restores nothing."""
    story = subscriber(
        world, "insufficient_funds", "insufficient_funds", "ok", "ok", "insufficient_funds", "ok",
        retries=custom_schedule(3, at_end="unpaid"),
    ).until(4)  # fmt: skip
    assert story.level() == ("revoked", "unpaid")
    assert story.pay()
    assert "Your access is back" in story.text()

    story.until(63, stops=(28, 59, 62))

    assert story.mails()[-2:] == [(59, "payment_failed 1"), (62, "recovered")]
    assert "Your access is back" not in story.text()


def test_a_late_failure_does_not_reopen_a_paid_case(world: World) -> None:
    """The first failure, delivered again under another id after the payment, changes nothing."""
    story = subscriber(world, "insufficient_funds", "ok").until(4)
    before = (story.mails(), story.access(), world.effects())
    for kind in ("invoice.payment_failed", "charge.failed", "payment_intent.payment_failed"):
        [event] = world.stripe.engine.events(kind)
        world.stripe.engine.repeat_event(event)
    world.settle()

    assert (story.mails(), story.access(), world.effects()) == before
    assert story.outcome() == "recovered"
