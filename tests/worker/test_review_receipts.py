"""A receipt names the money that came, not the debt it has ended."""

from __future__ import annotations

from dataclasses import replace

from sandbox.stripe import custom_schedule
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

WEEKLY = custom_schedule(1, at_end="past_due")


def test_a_receipt_for_a_later_invoice_states_that_one(world: World) -> None:
    """Two weeks stay unpaid, the third is dearer and paid: Stripe says active, the receipt $49.00."""
    story = subscriber(world, *["insufficient_funds"] * 4, "ok", retries=WEEKLY, interval="week")
    story.until(-16, stops=(-24, -23, -17))
    engine = world.stripe.engine
    subscription = engine.refresh(story.subscription)
    dearer = engine.create_price(4900, interval="week", product_name="Team plan")
    items = tuple(replace(item, price=dearer) for item in subscription.items)
    engine.ledger.put(replace(subscription, items=items))
    story.until(-9, stops=(-10,))

    assert story.mails()[-1] == (-10, "recovered")
    assert "We received $49.00" in story.text()
    assert f"Invoice: {story.invoice.number}" in story.text()
