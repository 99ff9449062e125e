"""What Stripe never made an event of is found by comparing, and taken in as any other fact is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from db import models
from db.reconciliations import COMPARISON, EVENTS
from sandbox.stripe import Card, Fault
from sandbox.stripe.records import Customer, Event
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import TEAM_ADDRESS, World
from tests.worker.importing import crowded, take_over
from tests.worker.reconciling import carry_out, change, compare, execute, fill, noted, rows, take, tools
from worker.queues import ALARM
from worker.usecases.reconcile import RIPE_AFTER, carry_on
from worker.usecases.sound_alarm import sound_alarm


def unheard(world: World) -> None:
    """Whatever has happened at Stripe since, there never was an event of it."""
    ledger = world.stripe.engine.ledger
    with ledger.lock:
        gone = {event.id for event in world.hear()}
        kept = ledger._objects[Event]
        ledger._objects[Event] = {name: event for name, event in kept.items() if name not in gone}
        world._heard = len(ledger._objects[Event])


@pytest.fixture
def story(world: World) -> Story:
    """A renewal has failed, and the customer was told."""
    return subscriber(world, "insufficient_funds", wall=True).until(1)


@pytest.mark.parametrize("wall", [False, True], ids=["on a test clock", "by the wall clock"])
def test_who_agrees_has_nothing_to_settle(world: World, wall: bool) -> None:
    """Everything is looked at, and nothing written."""
    subscriber(world, "insufficient_funds", wall=wall).until(1)
    before = world.rows(models.journal)
    counts = compare(world)
    assert (counts["subscriptions"], counts["held"], counts["found"], noted(world)) == (1, 1, 0, [])
    assert world.rows(models.journal) == before


@pytest.mark.parametrize("wall", [False, True], ids=["on a test clock", "by the wall clock"])
def test_a_payment_that_no_event_told_of_ends_the_case(world: World, wall: bool) -> None:
    """The customer gets a receipt and hears nothing more."""
    story = subscriber(world, "insufficient_funds", wall=wall).until(1)
    world.stripe.engine.pay_invoice(story.invoice, card=Card())
    unheard(world)
    assert fill(world)["filled"] == 0
    compare(world)
    world.tick()
    assert (story.outcome(), story.level()) == ("recovered", ("full", "good_standing"))
    assert story.mails()[-1][1].startswith("recovered")
    assert noted(world) == [("subscription", "repaired"), ("invoice", "repaired")]
    assert compare(world)["found"] == 0


def test_a_failure_that_no_event_told_of_opens_a_case(world: World) -> None:
    """Stripe still wants the invoice paid, and nobody here has heard of it."""
    story = subscriber(world, "expired_card", wall=True)
    world.stripe.engine.advance(None, story.renewal)
    world.now = story.renewal
    unheard(world)
    compare(world)
    world.tick()
    assert story.mails() == [(0, "payment_failed 1")]
    assert story.level() == ("warned", "payment_failed")
    assert noted(world) == [("subscription", "repaired"), ("invoice", "gone")]


def test_a_failure_without_a_charge_counts_from_when_it_was_found(world: World) -> None:
    """No card is left to charge: of that only an event would have told, and when."""
    story = subscriber(world, wall=True)
    world.stripe.engine.detach_card(story.card)
    world.stripe.engine.advance(None, story.renewal)
    world.now = story.renewal + timedelta(days=2)
    unheard(world)
    compare(world)
    world.tick()
    assert story.mails() == [(2, "payment_failed 1")]
    assert compare(world)["found"] == 0


def test_an_end_that_no_event_told_of_takes_access(story: Story) -> None:
    """A cancellation at Stripe."""
    world = story.world
    world.stripe.engine.cancel(story.subscription)
    unheard(world)
    compare(world)
    assert story.level() == ("revoked", "canceled")


def test_a_corrected_address_is_taken_over(story: Story) -> None:
    """And stands nowhere in what is written down of it."""
    world = story.world
    ledger = world.stripe.engine.ledger
    with ledger.lock:
        customer = ledger.get(Customer, story.customer.id)
        ledger.put(replace(customer, email="new@customer.example"))
    compare(world)
    assert [row.email for row in world.rows(models.customers, models.customers.c.email)] == [
        "new@customer.example"
    ]
    [row] = world.rows(models.differences)
    assert (row.kind, row.status) == ("customer", "repaired")
    assert "example" not in str(row.differs)


def test_news_on_its_way_is_no_difference(story: Story) -> None:
    """It is looked at again after two minutes, and has come by then."""
    world = story.world
    world.stripe.engine.pay_invoice(story.invoice, card=Card())
    run = take(world, COMPARISON)
    assert run is not None
    world.run(carry_on(tools(world, ripe_after=RIPE_AFTER), run, within=60))
    row = rows(world)[COMPARISON]
    assert (row.lease_until, row.succeeded_at) == (None, None)
    assert row.begun_at is not None
    assert timedelta(0) < row.due_at - row.begun_at <= RIPE_AFTER + timedelta(seconds=10)
    world.settle()
    compare(world)
    assert {status for _, status in noted(world)} == {"gone"}
    assert row.totals.get("repaired", 0) == 0


def test_strangers_are_for_the_import(world: World) -> None:
    """Before one, nobody is mailed because a comparison has met them; after it there are none."""
    crowded(world, 30)
    counts = compare(world)
    assert counts["strangers"] >= 30
    assert noted(world) == []
    assert world.rows(models.customers) == []
    take_over(world)
    assert compare(world)["strangers"] == 0
    assert [each for each in noted(world) if each[1] != "gone"] == []


def test_who_was_imported_and_is_new_is_no_stranger(world: World) -> None:
    """A subscription of after the import that no event told of gives access all the same."""
    take_over(world)
    story = subscriber_unheard(world)
    compare(world)
    assert story.level() == ("full", "good_standing")


def subscriber_unheard(world: World) -> Story:
    engine = world.stripe.engine
    customer = engine.create_customer("new@customer.example", card=Card())
    bought = engine.create_subscription(customer, engine.create_price(1900))
    unheard(world)
    return Story(world, None, customer, bought, "new@customer.example")


def test_what_is_paid_here_and_open_there_is_for_a_person(story: Story) -> None:
    """No reading undoes a payment: the team is told once a day, and no more when somebody has mended it."""
    world = story.world
    execute(world, "UPDATE invoices SET paid_at = now(), status = 'paid' WHERE failed_at IS NOT NULL")
    compare(world)
    compare(world)
    assert ("invoice", "reported") in noted(world)
    assert len(alarmed(world)) == 1
    execute(world, "UPDATE differences SET told_at = told_at - interval '25 hours'")
    compare(world)
    assert len(alarmed(world)) == 2
    execute(world, "UPDATE invoices SET paid_at = NULL, status = 'open'")
    compare(world)
    assert [each for each in noted(world) if each[1] == "reported"] == []


def alarmed(world: World) -> list[str]:
    """The subjects of what the team was told that is no customer's case."""
    found = world.rows(models.alarms, models.alarms.c.id)
    world.run(sound_alarm(world.services, world.courier, [row.id for row in found]))
    assert ALARM.actor == "sound_alarm"
    return [mail.subject for mail in world.inbox.to(TEAM_ADDRESS) if "Stripe and we" in mail.subject]


def test_an_invoice_that_stripe_does_not_know_is_for_a_person(story: Story) -> None:
    """A key of another account, perhaps: nothing is done on that ground."""
    world = story.world
    world.stripe.faults.add(Fault(match=f"GET /v1/invoices/{story.invoice.id}", status=404, times=100))
    compare(world)
    assert ("invoice", "reported") in noted(world)
    assert story.level() == ("warned", "payment_failed")


def test_killed_half_way_it_goes_on(world: World) -> None:
    """What was looked at is not looked at again, and Stripe being away in between costs nothing."""
    listed = len(crowded(world, 24, trouble=0.2))
    take_over(world)
    world.stripe.faults.add(Fault(match="GET /v1/invoices", status=503, times=100))
    assert carry_out(world, COMPARISON) is not None
    asked = pages_read(world)
    assert rows(world)[COMPARISON].cursors == {"subscriptions": None}
    world.stripe.faults.clear()
    change(world, COMPARISON, due_at=rows(world)[COMPARISON].created_at)
    counts = compare(world)
    assert pages_read(world) == asked
    assert counts["subscriptions"] == listed


def pages_read(world: World) -> int:
    """How often all subscriptions were listed."""
    asked = world.stripe.api.requested("GET", "/v1/subscriptions")
    return sum(request.params.get("status") == "all" for request in asked)


@pytest.mark.parametrize("level", ["revoked", "limited"])
def test_who_has_paid_and_is_locked_out_is_let_in(story: Story, level: str) -> None:
    """Within the hour, whatever did it."""
    world = story.world
    story.pay(Card())
    execute(world, f"UPDATE access SET level = '{level}'")  # noqa: S608  # a constant
    counts = fill(world)
    assert counts["access_repaired"] == 1
    assert story.level() == ("full", "good_standing")
    assert alarmed(world) == []


def test_who_pays_nothing_and_is_let_in_is_let_out(story: Story) -> None:
    """Once Stripe has confirmed that the subscription is over; not while it cannot be asked."""
    world = story.world
    world.stripe.engine.cancel(story.subscription)
    world.settle()
    execute(world, "UPDATE access SET level = 'full'")
    world.stripe.faults.add(Fault(match="GET /v1/(customers|subscriptions)/", status=503, times=100))
    assert carry_out(world, EVENTS) is not None
    assert story.level()[0] == "full"
    world.stripe.faults.clear()
    assert fill(world)["access_repaired"] == 1
    assert story.level() == ("revoked", "canceled")


def test_who_cannot_be_mended_is_reported_with_age(story: Story) -> None:
    """A fault of ours that locks somebody out again and again: the team hears of it once a day."""
    world = story.world
    story.pay(Card())
    execute(
        world,
        "CREATE OR REPLACE FUNCTION locked() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.level = 'revoked'; RETURN NEW; END $$",
    )
    execute(world, "CREATE TRIGGER locked BEFORE UPDATE ON access FOR EACH ROW EXECUTE FUNCTION locked()")
    try:
        execute(world, "UPDATE access SET changed_at = now() - interval '1 day'")
        assert fill(world)["access_reported"] == 1
        assert fill(world)["access_reported"] == 1
    finally:
        execute(world, "DROP FUNCTION locked() CASCADE")
    assert noted(world) == [("access", "reported")]
    found = world.rows(models.alarms, models.alarms.c.id, models.alarms.c.facts)
    assert [row.facts["locked"] for row in found] == [1]
    assert fill(world)["access_repaired"] == 1
    assert noted(world) == [("access", "repaired")]
