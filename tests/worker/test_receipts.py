"""What was taken is written down, and a payment gives exactly that back; a write-off gives nothing back."""

from __future__ import annotations

from typing import Any

import pytest

from db import models
from sandbox.stripe import Card, bank_debit, custom_schedule
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from tests.worker.plain import plain

LEFT_TO_US = custom_schedule(3, at_end="past_due")


@pytest.fixture
def staged(make_world: MakeWorld) -> World:
    """Access is limited on day 10 and revoked on day 14."""
    return make_world(policy=plain(limited_after="10d"))


def said(story: Story, kind: str) -> list[tuple[float, str | None, Any]]:
    """(day, reason, data) of the journal's entries of this kind."""
    return [(story.day(row.at), row.reason, row.data) for row in story.journal() if row.kind == kind]


def unpaid(world: World, day: float, **options: Any) -> Story:
    """A renewal that nobody has paid by `day`."""
    retries = {"retries": LEFT_TO_US} | options
    return subscriber(world, "insufficient_funds", **retries).until(day)


def case(world: World) -> Any:
    (row,) = world.rows(models.cases)
    return row


def test_access_is_limited_and_then_revoked(staged: World) -> None:
    """Each with its day, and what the customer had before the first."""
    story = unpaid(staged, 15)
    assert story.access() == [
        (story.access()[0][0], "full", "good_standing"),
        (0, "warned", "payment_failed"),
        (10, "limited", "payment_failed"),
        (14, "revoked", "grace_expired"),
    ]
    ref = story.invoice.id
    assert said(story, "access.taken") == [
        (
            10,
            "the payment has been open for too long: access is limited before it ends",
            {"step": f"restriction:{ref}", "name": "limited"},
        ),
        (14, "grace ended without a payment", {"step": f"access:{ref}:revoked", "name": "revoked"}),
    ]
    row = case(staged)
    assert (row.taken_from, row.taken_level) == ("warned", "revoked")
    assert (story.day(row.limited_at), story.day(row.taken_at)) == (10, 14)


@pytest.mark.parametrize(
    ("day", "taken"),
    [(9, None), (12, {"level": "limited"}), (16, {"level": "revoked", "taken_at": 14})],
    ids=["nothing", "limited", "revoked"],
)
def test_class_18_a_payment_gives_back_exactly_what_was_taken(
    staged: World, day: float, taken: dict[str, Any] | None
) -> None:
    """Written once; whoever lost nothing is given nothing back."""
    story = unpaid(staged, day)
    assert story.pay(Card())
    staged.tick()
    assert story.level() == ("full", "good_standing")
    returned = said(story, "access.returned")
    assert len(returned) == (taken is not None)
    for at, _, data in returned:
        row = case(staged)
        assert at == story.day(row.closed_at) == day
        told = {"subscription": story.subscription.id, "before": "warned", "level": taken and taken["level"]}
        told["limited_at"] = str(row.limited_at)
        assert data == told | ({"taken_at": str(row.taken_at)} if row.taken_at else {})


@pytest.mark.parametrize("day", [12, 16])
def test_class_17_a_write_off_gives_nothing_back(staged: World, day: float) -> None:
    """Stripe calls the subscription active again; nobody has paid."""
    story = unpaid(staged, day)
    before = story.level()[0]
    staged.stripe.engine.write_off(story.invoice)
    staged.settle()
    assert story.status == "active"
    assert (story.level(), story.outcome()) == ((before, "written_off"), "written_off")
    assert said(story, "access.returned") == []


def test_class_17_a_written_off_invoice_that_is_paid_after_all_gives_it_back(staged: World) -> None:
    """Only the money did."""
    story = unpaid(staged, 16)
    invoice = story.invoice
    staged.stripe.engine.write_off(invoice)
    staged.settle()
    staged.stripe.engine.pay_out_of_band(invoice)
    staged.settle()
    assert story.level()[0] == "full"
    assert [data["level"] for _, _, data in said(story, "access.returned")] == ["revoked"]


@pytest.mark.parametrize(("answer", "level"), [("ok", "full"), ("insufficient_funds", "revoked")])
def test_class_32_a_debit_that_is_under_way_is_waited_for(
    make_world: MakeWorld, answer: str, level: str
) -> None:
    """Begun a day before the deadline: access stays until the bank has answered, and follows its answer."""
    world = make_world(policy=plain())
    story = unpaid(world, 13)
    world.stripe.engine.pay_invoice(story.invoice, card=bank_debit(f"processing:5:{answer}"))
    world.settle()
    assert case(world).closed_at is None
    story.until(17, stops=(14, 15, 16))
    (invoice,) = [row for row in world.rows(models.invoices) if row.ref == story.invoice.id]
    assert story.day(invoice.processing_since) == 13
    assert story.level() == ("warned", "payment_failed")
    assert said(story, "access.taken") == []

    story.until(19, stops=(18, 18.5))
    assert story.level()[0] == level


def test_class_32_a_debit_that_nobody_heard_of_is_found_when_access_is_due(make_world: MakeWorld) -> None:
    """Its event is late: Stripe is asked before anything is taken, and says that money is on its way."""
    world = make_world(policy=plain())
    story = unpaid(world, 13)
    world.stripe.engine.pay_invoice(story.invoice, card=bank_debit("processing:5:ok"))
    world.hear()
    story.until(14.5)
    assert story.level()[0] == "warned"
    assert said(story, "access.taken") == []
