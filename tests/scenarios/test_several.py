"""Several subscriptions of one customer, several unpaid invoices of one subscription, several customers."""

from dataclasses import replace
from itertools import pairwise

from sandbox.stripe import Card, custom_schedule
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

TO_THE_END = custom_schedule(3, 5, 4, at_end="past_due")
WEEKLY = custom_schedule(1, at_end="past_due")


def second_subscription(story: Story, card: Card, **options: object) -> Story:
    """Another subscription of the same customer, paid with a card of its own."""
    engine = story.world.stripe.engine
    first = engine.refresh(story.customer).default_payment_method
    method = engine.save_card(story.customer, card)
    engine.ledger.put(replace(engine.refresh(story.customer), default_payment_method=first))
    price = engine.create_price(4900, product_name="Other plan")
    subscription = engine.create_subscription(story.customer, price, payment_method=method, policy=TO_THE_END)
    story.world.settle()
    return replace(story, subscription=subscription)


def test_class_20_another_paid_subscription_keeps_access(world: World) -> None:
    """One of two subscriptions fails for good: the failure is told, access stays and no end is announced."""
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END)
    second_subscription(story, Card("mastercard", "4444"))
    story.until(20)

    assert [what for _, what in story.mails()][:2] == ["payment_failed 1", "payment_failed 2"]
    assert not {"final_warning", "access_ended"} & {what.split()[0] for _, what in story.mails()}
    assert not any("access" in mail.text for mail in story.inbox)
    assert [level for _, level, _ in story.access()] == ["full"]


def test_two_subscriptions_that_fail_together_are_told_together(world: World) -> None:
    """Both renewals fail in the same minute: one mail a rung, with what is open in all."""
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END)
    second_subscription(story, Card(outcomes=("ok", "expired_card")))
    story.until(3)

    assert [day for day, _ in story.mails()] == [0, 3]
    assert all("$68.00" in mail.text for mail in story.inbox)


def test_access_goes_only_with_the_last_subscription(world: World) -> None:
    """Both fail for good: access is taken once, with the last of them."""
    story = subscriber(world, "insufficient_funds", retries=TO_THE_END)
    second_subscription(story, Card(outcomes=("ok", "insufficient_funds")))
    story.until(20)

    assert [level for _, level, _ in story.access()] == ["full", "warned", "revoked"]


def test_class_20_several_unpaid_invoices_of_one_subscription_have_one_ladder(world: World) -> None:
    """Unpaid for weeks, every week's invoice fails: one ladder of mails, one end, no second round."""
    story = subscriber(world, "insufficient_funds", retries=WEEKLY, interval="week")
    story.until(14)

    kinds = [what.split()[0] for _, what in story.mails()]
    assert kinds.count("access_ended") == 1
    assert [what for _, what in story.mails() if what.startswith("final")] == [
        "final_warning 72h",
        "final_warning 24h",
    ]
    assert [level for _, level, _ in story.access()] == ["full", "warned", "revoked"]
    assert all(later - earlier >= 1 for (earlier, _), (later, _) in pairwise(story.mails()))


def test_paying_the_newest_of_two_invoices_gives_one_receipt(world: World) -> None:
    """Stripe says active again when the latest invoice is paid: one payment, one receipt, for that one."""
    story = subscriber(world, *["insufficient_funds"] * 4, "ok", retries=WEEKLY, interval="week").until(-9)

    assert story.status == "active"
    assert [what for _, what in story.mails()].count("recovered") == 1
    assert story.level() == ("full", "good_standing")


def test_customers_do_not_share_a_fate(world: World) -> None:
    """Three customers in one world: each has their own mails, and nobody gets another's."""
    ada = subscriber(world, "insufficient_funds", email="ada@customer.example", retries=TO_THE_END)
    bob = subscriber(world, "expired_card", email="bob@customer.example", retries=TO_THE_END)
    eve = subscriber(world, email="eve@customer.example")
    for story in (ada, bob, eve):
        story.until(1)

    assert ada.mails() == bob.mails() == [(0, "payment_failed 1")]
    assert eve.mails() == []
    assert "not enough money" in ada.text()
    assert "has expired" in bob.text()
