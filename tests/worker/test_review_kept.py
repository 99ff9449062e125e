"""Access that cannot be taken, since nobody can confirm the debt, is journalled once, not every time."""

from __future__ import annotations

from datetime import timedelta

import structlog

from sandbox.stripe import Fault, custom_schedule
from tests.scenarios.story import subscriber
from tests.scenarios.world import World

ONCE = custom_schedule(30, at_end="past_due")


def test_a_key_that_is_refused_for_hours_leaves_one_line(world: World) -> None:
    """Each look at the case asks again and complains in the log; the customer's story says it once."""
    story = subscriber(world, "insufficient_funds", retries=ONCE, wall=True).until(13)
    world.stripe.faults.add(Fault(status=401, times=100_000))
    story.until(14)
    with structlog.testing.capture_logs() as events:
        for _ in range(5):
            world.now += timedelta(minutes=6)
            world.tick()

    assert story.level()[0] == "warned"
    assert [entry.kind for entry in story.journal()].count("access.kept") == 1
    assert [event["event"] for event in events].count("revocation.postponed") == 5


def test_an_invoice_unknown_to_stripe_is_complained_about(world: World) -> None:
    """Another account's key finds nothing: nobody is locked out, and the log says why."""
    story = subscriber(world, "insufficient_funds", retries=ONCE, wall=True).until(13)
    world.stripe.faults.add(Fault(match="/v1/invoices", status=404, times=100_000))
    with structlog.testing.capture_logs() as events:
        story.until(14)

    assert story.level()[0] == "warned"
    assert "revocation.postponed" in [event["event"] for event in events]
