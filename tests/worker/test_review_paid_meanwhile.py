"""Stripe is asked for the link to pay when a mail is written; what it says of the invoice then counts."""

from __future__ import annotations

import pytest

from sandbox.stripe import Card, custom_schedule
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

ONCE = custom_schedule(30, at_end="past_due")


@pytest.mark.parametrize("deed", ["pay", "void"])
def test_nobody_is_warned_whose_invoice_is_settled_already(world: World, deed: str) -> None:
    """Settled on day 10, and the events of that are hours late: no warning leaves on day 11."""
    story = subscriber(world, "insufficient_funds", retries=ONCE).until(10)
    if deed == "pay":
        world.stripe.engine.pay_invoice(story.invoice, card=Card())
    else:
        world.stripe.engine.void_invoice(story.invoice)
    late = world.hear()
    story.until(11)
    told = [(0, "payment_failed 1"), (3, "payment_failed 2"), (8, "payment_failed 3")]
    assert story.mails() == told
    assert story.withheld() == [("final_warning 72h", "suppressed")]

    world.run(world._settle(late))
    assert [what for _, what in story.mails()[len(told) :]] == (["recovered"] if deed == "pay" else [])
