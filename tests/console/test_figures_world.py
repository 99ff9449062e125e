"""Causes and refunds as Stripe's own events and the worker's own entries tell of them."""

from __future__ import annotations

from datetime import timedelta

from console.figures import Figures, figures
from console.figures.period import period
from console.figures.shown import lines, total
from console.figures.tally import Dimension, Range
from sandbox.stripe import Card
from tests.console.sample import BERLIN
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World


def figures_of(world: World, story: Story, months: str = "2026-02") -> Figures:
    """The figures of February, in which renewals fail there; its customers live on test clocks."""

    async def look() -> Figures:
        async with world.services.engine.connect() as connection:
            now = story.now + timedelta(days=30)
            wanted = period(months, months, None, now=now, zone=BERLIN)
            return await figures(connection, wanted, now=now, test_clocks=True)

    return world.run(look())


def test_a_payment_is_told_by_what_it_came_after(world: World) -> None:
    """A retry of Stripe's, one by hand after our mail, one with a new card; one is not paid yet."""
    retried = subscriber(world, "insufficient_funds", "ok", email="a@customer.example").until(4)
    by_hand = subscriber(world, "insufficient_funds", "ok", email="b@customer.example").until(1)
    assert by_hand.pay()
    new_card = subscriber(world, "insufficient_funds", email="c@customer.example").until(1)
    assert new_card.pay(Card("mastercard", "4444"))
    subscriber(world, *["insufficient_funds"] * 5, email="d@customer.example").until(4)

    found = figures_of(world, retried)
    causes = {line.key: line.counts.cases for line in lines(found, Dimension.CAUSE) if line.counts.cases}
    assert causes == {"provider_retry": 1, "mail": 1, "new_method": 1}
    assert total(found).counts.rate == Range(0.75, 1)
    assert found.at_risk[0].amount == 1900


def test_a_refund_is_heard_of_and_lowers_the_net(world: World) -> None:
    """Part of it, then the rest; told twice and out of order it stays the same."""
    story = subscriber(world, "insufficient_funds", "ok").until(4)
    engine = world.stripe.engine
    engine.refund(story.invoice, 700)
    first = world.hear()
    world.deliver(first)
    assert total(figures_of(world, story)).money["usd"].net == 1200
    engine.refund(story.invoice)
    world.settle()
    world.deliver(first)
    money = total(figures_of(world, story)).money["usd"]
    assert (money.recovered, money.paid, money.refunded, money.net) == (1, 1900, 1900, 0)
