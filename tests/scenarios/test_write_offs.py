"""Settled without money: a write-off, a void or a credit is not a payment and opens no door."""

from dataclasses import replace

from sandbox.stripe import Card, RetryPolicy, custom_schedule
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

DAY = 86_400
ONCE = custom_schedule(30, at_end="past_due")


def test_a_write_off_before_the_end_closes_the_case_without_a_receipt(world: World) -> None:
    """Forgiven in time: Stripe says active, nothing was taken, nobody is thanked for a payment."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(5)
    world.stripe.engine.write_off(story.invoice)
    story.until(20)

    assert story.status == "active"
    assert story.outcome() == "written_off"
    assert story.mails() == [(0, "payment_failed 1"), (3, "payment_failed 2")]
    assert story.level()[0] == "full"


def test_class_17_a_write_off_after_the_end_gives_nothing_back(world: World) -> None:
    """Access was taken; marking the invoice uncollectible makes Stripe say active, and we stay firm."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(16)
    mails = story.mails()
    world.stripe.engine.write_off(story.invoice)
    story.until(20)

    assert story.status == "active"
    assert story.level() == ("revoked", "written_off")
    assert story.mails() == mails


def test_class_17_a_write_off_by_the_schedule_itself_gives_nothing_back(world: World) -> None:
    """Stripe stops the subscription, then writes the invoice off: active again, but nobody has paid."""
    retries = RetryPolicy(delays=(3 * DAY,), at_end="unpaid", invoice_at_end="mark_uncollectible")
    story = subscriber(world, "insufficient_funds", retries=retries).until(20)

    assert story.status == "active"
    assert story.level() == ("revoked", "written_off")
    assert "recovered" not in [what for _, what in story.mails()]


def test_the_next_renewal_that_is_paid_opens_the_door_again(world: World) -> None:
    """After a write-off only money counts: the next month's payment gives access back."""
    story = subscriber(world, "insufficient_funds", "ok", retries=ONCE).until(16)
    world.stripe.engine.write_off(story.invoice)
    story.until(29)

    assert story.access()[-1][:2] == (28, "full")


def test_a_void_closes_the_case_and_gives_nothing_back(world: World) -> None:
    """An invoice voided after access was taken is not a payment."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(16)
    world.stripe.engine.void_invoice(story.invoice)
    story.until(20)

    assert story.outcome() == "voided"
    assert story.level()[0] == "revoked"
    assert story.mails()[-1] == (14, "access_ended")


def test_a_void_in_time_ends_the_dunning(world: World) -> None:
    """An invoice voided while mails are still to come: none of them comes, and access stays."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(5)
    world.stripe.engine.void_invoice(story.invoice)
    story.until(20)

    assert story.mails() == [(0, "payment_failed 1"), (3, "payment_failed 2")]
    assert story.level() == ("full", "good_standing")


def test_an_invoice_paid_past_stripe_is_a_payment(world: World) -> None:
    """A bank transfer marked as paid out of band recovers the case with a receipt."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(16)
    world.stripe.engine.pay_out_of_band(story.invoice)
    world.settle()

    assert story.outcome() == "recovered"
    assert story.level() == ("full", "good_standing")
    assert story.mails()[-1] == (16, "recovered")


def test_class_17_an_invoice_of_nothing_is_no_payment(world: World) -> None:
    """Access was taken; next month's invoice over $0 is "paid", and gives nothing back."""
    story = subscriber(world, "insufficient_funds", retries=ONCE)
    free = world.stripe.engine.create_price(0)
    story.until(16)
    mails = story.mails()
    subscription = world.stripe.engine.refresh(story.subscription)
    items = tuple(replace(item, price=free) for item in subscription.items)
    world.stripe.engine.ledger.put(replace(subscription, items=items))
    story.until(29)

    assert story.level()[0] == "revoked"
    assert story.mails() == mails


def test_a_late_payment_of_a_written_off_invoice_is_a_payment(world: World) -> None:
    """Written off and then paid after all: recovered, with everything given back."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(16)
    world.stripe.engine.write_off(story.invoice)
    world.settle()
    assert story.pay(Card())

    assert story.outcome() == "recovered"
    assert story.level() == ("full", "good_standing")
