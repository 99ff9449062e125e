"""From stored events to effects: once, whatever happens twice, at once, badly or without Stripe."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert, select
from structlog.testing import capture_logs

from db import models
from db.sweep import MOST_ATTEMPTS
from sandbox.stripe import Card, Fault, custom_schedule
from sandbox.stripe.objects import render_event, thin_event
from sandbox.stripe.records import Event
from tests.providers.bodies import THIN, body
from tests.scenarios.arrivals import Form, Manner, store
from tests.scenarios.story import RENEWAL, Story, subscriber
from tests.scenarios.world import START, World
from worker.queues import MAIL, TEAM
from worker.usecases.apply_events import PATIENCE, apply_events

DOWN = Fault(status=500, times=10_000)
FIRST = "payment_failed:{}:1"


def failing(world: World, code: str = "insufficient_funds", **options: Any) -> tuple[Story, list[Event]]:
    """A subscriber, and the events of their first failure, which nobody has stored yet."""
    story = subscriber(world, code, **options)
    world.stripe.engine.advance(story.present_clock, RENEWAL)
    return story, world.hear()


def keep(world: World, events: list[Event]) -> list[int]:
    """Store events as the receiver does, and wake nobody."""

    async def run() -> list[int]:
        async with world.services.engine.begin() as connection:
            return await store(connection, events, world.version, world.now, world.manner.forms)

    return world.run(run())


def keep_body(world: World, payload: bytes, kind: str = "customer.updated", source: str = "stripe") -> int:
    """Store a body of one's own."""

    async def run() -> int:
        values = {"source": source, "event_id": f"evt_{len(payload)}_{kind}", "type": kind, "livemode": False}
        values |= {"status": "pending", "payload": payload, "received_at": world.now}
        async with world.services.engine.begin() as connection:
            added = insert(models.inbox).values(values).returning(models.inbox.c.id)
            return int((await connection.execute(added)).scalar_one())

    return world.run(run())


def poison(world: World) -> int:
    """A customer whose id no index of PostgreSQL can hold: well-formed, and impossible to apply."""
    event = body("customer_updated", "endive")
    event["data"]["object"] |= {"id": f"cus_{Random(1).randbytes(4_000).hex()}"}  # noqa: S311  # not a secret
    return keep_body(world, json.dumps(event).encode())


def apply(world: World, ids: list[int], *, times: int = 1) -> None:
    """Apply rows that have had their rest, `times` at once; what follows waits in the world's queue."""
    world.run(world.stage.let_pass(timedelta(hours=1)))
    world.all_at_once(*(apply_events(world.services, ids) for _ in range(times)))


def statuses(world: World) -> Counter[str]:
    return Counter(row.status for row in world.rows(models.inbox, models.inbox.c.status))


def event_row(world: World, row_id: int) -> Any:
    async def run() -> Any:
        async with world.services.engine.connect() as connection:
            query = select(models.inbox).where(models.inbox.c.id == row_id)
            return (await connection.execute(query)).one()

    return world.run(run())


def applied(world: World) -> Counter[str]:
    """How often each event was applied."""
    rows = world.rows(models.journal)
    return Counter(row.data["event"] for row in rows if row.kind == "event.applied")


def test_a_failure_becomes_a_case_and_a_mail(world: World) -> None:
    """With all that belongs to it, in one go."""
    story, events = failing(world)
    apply(world, keep(world, events))
    assert set(statuses(world)) == {"done"}
    assert world.effects() == [(FIRST.format(story.invoice.id), "pending")]
    assert story.level() == ("warned", "payment_failed")
    assert [wakeup for wakeup, _ in world.queue].count(MAIL) == 1


@pytest.mark.parametrize("times", [2, 10])
def test_class_1_events_applied_at_once_have_one_effect(world: World, times: int) -> None:
    """Every row is applied by one of them, and the mail is decided once."""
    story, events = failing(world)
    ids = keep(world, events)
    apply(world, ids, times=times)
    apply(world, ids)
    assert set(statuses(world)) == {"done"}
    assert set(applied(world).values()) == {1}
    assert world.effects() == [(FIRST.format(story.invoice.id), "pending")]
    assert len([row for row in story.journal() if row.kind == "case.opened"]) == 1


def test_class_1_one_at_a_time_and_all_at_once_are_the_same(world: World) -> None:
    """Ten workers with one event each, all of one customer."""
    story, events = failing(world)
    ids = keep(world, events)
    world.all_at_once(*(apply_events(world.services, [row]) for row in ids))
    assert set(statuses(world)) == {"done"}
    assert set(applied(world).values()) == {1}
    assert world.effects() == [(FIRST.format(story.invoice.id), "pending")]


def test_class_6_a_bad_row_costs_nobody_else_anything(world: World) -> None:
    """One row of the batch cannot be written: the others are, and it keeps its error."""
    story, events = failing(world)
    bad = poison(world)
    with capture_logs() as logs:
        apply(world, [*keep(world, events), bad])
    assert "batch.split" in [entry["event"] for entry in logs]
    assert world.effects() == [(FIRST.format(story.invoice.id), "pending")]
    assert statuses(world)["pending"] == 1
    row = event_row(world, bad)
    assert (row.status, row.attempts) == ("pending", 1)
    assert row.last_error
    assert "Ada" not in row.last_error


def test_poison_is_retired_after_five_tries(world: World) -> None:
    """By the scheduler, which hands it out no more."""
    bad = poison(world)
    with capture_logs() as logs:
        for attempt in range(1, MOST_ATTEMPTS + 1):
            world.machine_time(timedelta(hours=1))
            assert (event_row(world, bad).status, event_row(world, bad).attempts) == ("pending", attempt)
    assert [entry["event"] for entry in logs] == ["event.failed"] * MOST_ATTEMPTS
    world.machine_time(timedelta(hours=1))
    assert event_row(world, bad).status == "dead"
    world.machine_time(timedelta(hours=1))
    assert event_row(world, bad).attempts == MOST_ATTEMPTS


@pytest.mark.parametrize(
    ("payload", "source"),
    [
        (b"not json", "stripe"),
        (b"[]", "stripe"),
        (b"{}", "stripe"),
        (b'{"created": 1, "type": "invoice.paid", "data": {"object": []}}', "stripe"),
        (b'{"created": 1, "type": "invoice.paid", "data": {"object": {"subscription": "sub_1"}}}', "stripe"),
        (b"\xff", "stripe"),
        (b"{}", "nobody"),
    ],
)
def test_class_8_a_malformed_event_is_retired_at_once(world: World, payload: bytes, source: str) -> None:
    """No retry can help it; it is kept with its error."""
    row_id = keep_body(world, payload, source=source)
    apply(world, [row_id])
    row = event_row(world, row_id)
    assert (row.status, bool(row.last_error), row.payload) == ("dead", True, payload)


def test_an_event_that_says_nothing_is_done(world: World) -> None:
    """A one-off invoice, say."""
    event = body("invoice_paid", "endive")
    event["data"]["object"]["parent"] = None
    row_id = keep_body(world, json.dumps(event).encode())
    apply(world, [row_id])
    assert event_row(world, row_id).status == "done"
    assert not world.rows(models.customers)


def test_nothing_to_apply(world: World) -> None:
    """Rows that nobody has."""
    apply(world, [])
    apply(world, [404])
    assert not world.rows(models.journal)


def test_class_9_without_stripe_an_event_waits(world: World) -> None:
    """The reason matters: it waits, and its tries are not counted."""
    _, events = failing(world)
    ids = keep(world, events)
    world.stripe.faults.add(DOWN)
    for _ in range(2):
        apply(world, ids)
    waiting = [event_row(world, row) for row in ids if event_row(world, row).status == "pending"]
    assert waiting
    assert {row.attempts for row in waiting} == {0}
    assert {row.last_error for row in waiting} == {"provider unavailable: APIError"}
    assert not world.effects()


def test_class_9_stripe_comes_back_in_time(world: World) -> None:
    """Then the reason is told from the start."""
    story, events = failing(world, "expired_card")
    ids = keep(world, events)
    world.stripe.faults.add(DOWN)
    apply(world, ids)
    world.stripe.faults.clear()
    world.now += PATIENCE - timedelta(seconds=1)
    apply(world, ids)
    world.run(world.drain())
    assert set(statuses(world)) == {"done"}
    assert "has expired" in story.text()


def test_class_9_after_its_patience_an_event_counts_without_its_reason(world: World) -> None:
    """Telling it late would be worse; the reason learned later improves the case and sends nothing twice."""
    story, events = failing(world, "expired_card")
    ids = keep(world, events)
    world.stripe.faults.add(DOWN)
    world.now += PATIENCE + timedelta(seconds=1)
    apply(world, ids)
    assert set(statuses(world)) == {"done"}
    assert world.effects() == [(FIRST.format(story.invoice.id), "pending")]
    assert not world.rows(models.charges)
    world.stripe.faults.clear()

    again = [event for event in events if event.type == "charge.failed"]
    told = render_again(world, again[0])
    apply(world, [told])
    (charge,) = world.rows(models.charges)
    assert charge.code == "expired_card"
    assert world.effects() == [(FIRST.format(story.invoice.id), "pending")]


def render_again(world: World, event: Event) -> int:
    """The same fact in another event: Stripe sometimes makes two."""
    twin = render_event(event, world.version) | {"id": f"{event.id}_twin"}
    return keep_body(world, json.dumps(twin).encode(), event.type)


def test_class_1_the_same_fact_in_two_events_is_one_mail(world: World) -> None:
    """Stripe says that in some cases two events are made for one fact."""
    story, events = failing(world)
    apply(world, keep(world, events))
    twins = [render_again(world, event) for event in events if event.type.startswith("invoice.")]
    apply(world, twins)
    assert set(statuses(world)) == {"done"}
    assert world.effects() == [(FIRST.format(story.invoice.id), "pending")]


def test_a_thin_event_is_applied_through_its_snapshot_or_what_it_names(world: World) -> None:
    """One of an id that Stripe does not know any more: the invoice is read back with its charges."""
    story, _ = failing(world)
    thin = body("invoice_payment_failed", THIN) | {"created": RENEWAL.isoformat()}
    thin["related_object"]["id"] = story.invoice.id
    row_id = keep_body(world, json.dumps(thin).encode(), "v1.invoice.payment_failed")
    apply(world, [row_id])
    assert event_row(world, row_id).status == "done"
    (case,) = world.rows(models.cases)
    assert (case.invoice, case.opened_at) == (story.invoice.id, RENEWAL)


def test_a_thin_event_that_cannot_be_read_is_not_lost(world: World) -> None:
    """It says nothing by itself: it waits for longer than others, and is then for a person."""
    _, events = failing(world)
    failure = [event for event in events if event.type == "invoice.payment_failed"]
    world.manner = Manner(forms=(thin_event,))
    (row,) = keep(world, failure)
    world.stripe.faults.add(DOWN)
    world.now += 2 * PATIENCE
    apply(world, [row])
    assert event_row(world, row).status == "pending"
    world.now += timedelta(days=1)
    apply(world, [row])
    assert event_row(world, row).status == "dead"


@pytest.mark.parametrize("first", [render_event, thin_event])
def test_one_fact_in_two_forms_is_heard_once(world: World, first: Form) -> None:
    """Whichever comes first: one line in the journal, one case, one mail, one attempt."""
    story, events = failing(world)
    forms = sorted((render_event, thin_event), key=lambda form: form is not first)
    failure = [event for event in events if event.type == "invoice.payment_failed"]
    for form in forms:
        world.manner = Manner(forms=(form,))
        apply(world, keep(world, failure))
    assert world.effects() == [(FIRST.format(story.invoice.id), "pending")]
    names = {form(event, world.version)["id"] for form in forms for event in failure}
    assert [each for each in names if each in applied(world)] == [forms[0](failure[0], world.version)["id"]]
    (invoice,) = [row for row in world.rows(models.invoices) if row.ref == story.invoice.id]
    assert invoice.attempt_count == 1
    assert set(statuses(world)) <= {"done", "ignored"}


def test_class_20_a_batch_of_many_customers_is_one_transaction_for_each_fact(world: World) -> None:
    """Everybody's events mixed: each gets a case of their own."""
    clock = world.stripe.engine.create_clock(START)
    price = world.stripe.engine.create_price()
    for number in range(6):
        customer = world.stripe.engine.create_customer(
            f"{number}@customer.example", clock=clock, card=Card(outcomes=("ok", "do_not_honor"))
        )
        world.stripe.engine.create_subscription(customer, price, policy=custom_schedule(3))
    world.stripe.engine.advance(clock, RENEWAL)
    events = world.hear()
    apply(world, keep(world, events[::-1]), times=3)
    assert len(world.rows(models.cases)) == 6
    assert len(world.effects()) == 6
    assert set(statuses(world)) == {"done"}


def test_a_customer_turns_out_to_live_on_a_test_clock(world: World) -> None:
    """From the first event on their case is timed by that clock."""
    story, events = failing(world)
    apply(world, keep(world, [event for event in events if event.type == "invoice.payment_failed"]))
    (customer,) = world.rows(models.customers)
    (case,) = world.rows(models.cases)
    assert story.clock is not None
    assert customer.test_clock == case.test_clock == story.clock.id
    (effect,) = world.rows(models.outbox)
    assert effect.created_at == RENEWAL


def test_class_21_the_team_is_woken_once(world: World) -> None:
    """By the third charge, and by nothing after it."""
    story = subscriber(world, "do_not_honor", retries=custom_schedule(1, 1, 1))
    world.stripe.engine.advance(story.present_clock, RENEWAL + timedelta(days=2))
    apply(world, keep(world, world.hear()), times=4)
    calls = [step for step, _ in world.effects() if step.startswith("escalation")]
    assert calls == [f"escalation:{story.invoice.id}:attempts"]
    assert [wakeup for wakeup, _ in world.queue].count(TEAM) == 1


def test_class_30_an_event_of_another_source_is_another_customer(world: World) -> None:
    """Nobody speaks for it yet, so it is kept and retired, and touches nobody."""
    _, events = failing(world)
    apply(world, keep(world, events))
    before = world.rows(models.customers)
    apply(world, [keep_body(world, json.dumps(body("invoice_paid", "endive")).encode(), source="commet")])
    assert world.rows(models.customers) == before


def test_class_22_a_charge_alone_proves_what_time_it_is_on_a_clock(world: World) -> None:
    """The first we hear of a customer names no clock; what is read back does, and no other time is used."""
    engine = world.stripe.engine
    clock = engine.create_clock(START)
    card = Card(outcomes=("ok", "do_not_honor"))
    customer = engine.create_customer("ada@customer.example", clock=clock, card=card)
    engine.create_subscription(customer, engine.create_price())
    engine.advance(clock, RENEWAL)
    apply(world, keep(world, [event for event in world.hear() if event.type == "charge.failed"]))
    (effect,) = world.rows(models.outbox)
    assert effect.created_at == RENEWAL
