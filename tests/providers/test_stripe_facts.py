"""Stripe's events as facts: both shapes, expanded or not, thin or whole, and silence about the rest."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dunning.events import (
    AsOf,
    ClockMoved,
    CustomerSeen,
    InvoiceSeen,
    PaymentFailed,
    SubscriptionSeen,
)
from providers.lookup import Lookup, MalformedEventError, Normalised, Subject
from providers.stripe.facts import HANDLERS, normalise
from providers.stripe.webhook import HANDLED
from providers.systems import normalise as normalise_from
from sandbox.stripe import NEW, OLD, BillingEngine, Card, RetryPolicy
from sandbox.stripe.objects import render, render_event
from sandbox.stripe.records import Customer, Event, Subscription
from sandbox.stripe.versions import ApiVersion
from tests.providers.bodies import NEW_SHAPE, OLD_SHAPE, THIN, body, names

INVOICE, CUSTOMER, SUBSCRIPTION = (
    "in_1HG9ZpdA9Tp9n4iiO5rPqkIG",
    "cus_9uNGqbPXaii4qY",
    "sub_1xU36ptfr7pWDvRXoL6OBY9P",
)
PRODUCT = "prod_AaSlPTnc7K4xWF"
SHAPES = (OLD_SHAPE, NEW_SHAPE)
FIRST, SECOND, THIRD = (
    datetime(2026, 2, 28, 11, 15, tzinfo=UTC),
    datetime(2026, 3, 3, 11, 15, tzinfo=UTC),
    datetime(2026, 3, 8, 11, 15, tzinfo=UTC),
)


def changed(name: str, shape: str = NEW_SHAPE, **fields: Any) -> dict[str, Any]:
    """A body whose object has these fields instead."""
    event = body(name, shape)
    event["data"]["object"] |= fields
    return event


def only(said: Normalised) -> Any:
    (fact,) = said.facts
    return fact


def test_every_handled_type_has_a_handler() -> None:
    """What the receiver keeps for a worker is what a worker can read, and nothing else."""
    assert set(HANDLERS) == HANDLED


@pytest.mark.parametrize("shape", SHAPES)
def test_a_failed_payment(shape: str) -> None:
    """The invoice, the failure, and a look at its payments for the reason."""
    assert normalise(body("invoice_payment_failed", shape)) == Normalised(
        (
            InvoiceSeen(
                customer=CUSTOMER,
                invoice=INVOICE,
                as_of=AsOf(SECOND),
                status="open",
                subscription=SUBSCRIPTION,
                billing_reason="subscription_cycle",
                collection_method="charge_automatically",
                number="HIUZJMH8-0002",
                currency="eur",
                amount_remaining=4900,
                attempt_count=2,
                next_attempt_at=THIRD,
            ),
            PaymentFailed(CUSTOMER, INVOICE, SECOND, 2),
        ),
        (Lookup(Subject.INVOICE, INVOICE, SECOND),),
    )


def test_class_9_the_reason_is_not_read_from_finalisation() -> None:
    """`last_finalization_error` is about tax and addresses, not about the charge."""
    assert body("invoice_payment_failed", NEW_SHAPE)["data"]["object"]["last_finalization_error"]
    assert "tax_location" not in repr(normalise(body("invoice_payment_failed", NEW_SHAPE)))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_paid_invoice(shape: str) -> None:
    """In the old shape `paid` is a field, in the new one a status."""
    seen = only(normalise(body("invoice_paid", shape)))
    assert (seen.paid_at, seen.amount_paid, seen.amount_remaining, seen.status) == (THIRD, 4900, 0, "paid")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_written_off_invoice(shape: str) -> None:
    """Yen have no minor unit; a write-off is no payment (class 17, class 31)."""
    seen = only(normalise(body("invoice_written_off", shape)))
    assert (seen.status, seen.paid_at, seen.amount_paid) == ("uncollectible", None, 0)
    assert (seen.currency, seen.amount_remaining) == ("jpy", 9900)
    assert seen.written_off_at == seen.as_of.at


@pytest.mark.parametrize("shape", SHAPES)
def test_a_past_due_subscription(shape: str) -> None:
    """Read back, because events of one second overtake each other."""
    assert normalise(body("subscription_past_due", shape)) == Normalised(
        (
            SubscriptionSeen(
                customer=CUSTOMER,
                subscription=SUBSCRIPTION,
                as_of=AsOf(FIRST),
                status="past_due",
                product=PRODUCT,
                interval="month",
                period_end=datetime(2026, 3, 31, 10, 15, tzinfo=UTC),
                amount=4900,
                currency="eur",
            ),
        ),
        (Lookup(Subject.SUBSCRIPTION, SUBSCRIPTION, FIRST),),
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_class_17_active_again_asks_for_the_money(shape: str) -> None:
    """Was the invoice paid or written off? Its event may be on its way, or never come."""
    said = normalise(body("subscription_active_again", shape))
    assert only(said).status == "active"
    assert said.lookups == (
        Lookup(Subject.SUBSCRIPTION, SUBSCRIPTION, THIRD),
        Lookup(Subject.INVOICE, INVOICE, THIRD),
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_an_ended_subscription(shape: str) -> None:
    """When and why it ended; `canceled_at` is when that was asked for."""
    seen = only(normalise(body("subscription_deleted", shape)))
    assert (seen.status, seen.ended_for, seen.interval) == ("canceled", "payment_failed", "year")
    assert seen.ended_at == datetime(2027, 2, 3, 11, 15, tzinfo=UTC)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_changed_customer(shape: str) -> None:
    """Address, name, languages in their order, country, and what they pay with."""
    assert only(normalise(body("customer_updated", shape))) == CustomerSeen(
        customer=CUSTOMER,
        as_of=AsOf(THIRD),
        email="ada@customer.example",
        name="Ada Muster",
        locales=("de-AT", "en"),
        country="AT",
        metadata=(("crm", "4711"),),
        payment_method="pm_1Go8AuzU7LY8fNxaSm3rnRlW",
    )


def test_a_failed_charge_leads_to_its_invoice() -> None:
    """By name in the old shape, by its payment intent in the new one."""
    old, new = (body("charge_failed", shape) for shape in SHAPES)
    assert normalise(old).lookups == (Lookup(Subject.INVOICE, INVOICE, FIRST),)
    assert normalise(new).lookups == (
        Lookup(Subject.PAYMENT, new["data"]["object"]["payment_intent"], FIRST),
    )


def test_a_charge_without_an_intent_says_nothing() -> None:
    """One made by a source of old: nobody knows its invoice."""
    assert normalise(changed("charge_failed", payment_intent=None)) == Normalised()


@pytest.mark.parametrize("name", [each for each in names() if each != "charge_failed"])
def test_both_shapes_tell_the_same(name: str) -> None:
    """The endpoint's API version changes nothing."""
    assert normalise(body(name, OLD_SHAPE)) == normalise(body(name, NEW_SHAPE))


def eventful() -> list[Event]:
    """The events of a few lives that between them have everything."""
    engine = BillingEngine(now=datetime(2026, 1, 31, 12, tzinfo=UTC))
    price = engine.create_price(1900)
    for at_end in ("cancel", "unpaid", "pause", "past_due"):
        policy = RetryPolicy(delays=(86_400,), at_end=at_end, automations=at_end == "unpaid")
        clock = engine.create_clock(engine.now()) if at_end == "pause" else None
        customer = engine.create_customer(
            "ada@customer.example", clock=clock, card=Card(outcomes=("ok", "authentication_required"))
        )
        bought = engine.create_subscription(customer, price, policy=policy)
        engine.advance(clock, engine.now(clock) + timedelta(days=33))
        if at_end == "cancel":
            continue
        method = engine.save_card(customer, Card())
        engine.network_updates_card(method, Card(exp=(11, 2035)))
        invoice = engine.latest_invoice(bought)
        if at_end == "unpaid":
            engine.write_off(invoice)
        elif at_end == "pause":
            engine.pay_invoice(invoice)
            engine.refund(invoice)
            engine.cancel(bought, at_period_end=True)
            engine.detach_card(method)
        else:
            engine.void_invoice(invoice)
            engine.delete_customer(customer)
    return engine.events()


def test_both_shapes_tell_the_same_of_whole_lives() -> None:
    """Every handled event of the simulated Stripe, with all its fields."""
    events, seen = eventful(), set()
    for event in events:
        old, new = (normalise(render_event(event, ApiVersion(version))) for version in (OLD, NEW))
        if event.type in HANDLED:
            seen.add(event.type)
        if event.type not in ("charge.failed", "charge.refunded", "payment_intent.payment_failed"):
            # Why a subscription is paused is told since 2026-09-30 only.
            assert old == new or getattr(event.subject, "paused_for", None)
    assert seen >= HANDLED - {"payment_method.updated"}


def test_unexpanded_and_expanded_are_the_same() -> None:
    """An id, or the object that it names, in both shapes."""
    engine = BillingEngine()
    owner = render(engine.create_customer("ada@customer.example"), ApiVersion(NEW))
    for shape in SHAPES:
        plain = body("invoice_payment_failed", shape)
        rich = deepcopy(plain)
        thing = rich["data"]["object"]
        thing["customer"] = owner | {"id": CUSTOMER}
        subscription = {"id": SUBSCRIPTION, "object": "subscription", "status": "past_due"}
        if shape == OLD_SHAPE:
            thing["subscription"] = subscription
        else:
            thing["parent"]["subscription_details"]["subscription"] = subscription
        assert normalise(rich) == normalise(plain)
    plain = body("subscription_active_again", NEW_SHAPE)
    rich = deepcopy(plain)
    rich["data"]["object"]["latest_invoice"] = {"id": INVOICE, "object": "invoice"}
    rich["data"]["object"]["customer"] = {"id": CUSTOMER, "object": "customer", "deleted": True}
    assert normalise(rich) == normalise(plain)


@pytest.mark.parametrize("name", ["invoice_payment_failed", "subscription_past_due"])
def test_an_account_may_stand_for_the_customer(name: str) -> None:
    """Since 14.x `customer` may be null with `customer_account` set."""
    said = normalise(changed(name, customer=None, customer_account="acct_1QZexample"))
    assert {getattr(fact, "customer", None) for fact in said.facts} == {"acct_1QZexample"}
    with pytest.raises(MalformedEventError, match="names no customer"):
        normalise(changed(name, customer=None))


@pytest.mark.parametrize(
    ("kind", "action_required"),
    [("invoice.payment_failed", False), ("invoice.payment_action_required", True)],
)
def test_class_4_a_wish_for_confirmation_is_the_same_failure(kind: str, action_required: bool) -> None:
    """Two events of one charge differ in one field."""
    failure = normalise(body("invoice_payment_failed", NEW_SHAPE) | {"type": kind}).facts[1]
    assert failure == PaymentFailed(CUSTOMER, INVOICE, SECOND, 2, action_required)


def test_an_update_of_an_attempted_invoice_is_looked_into() -> None:
    """It overtakes `invoice.payment_failed` and counts an attempt that may not have been a charge."""
    updated = body("invoice_payment_failed", NEW_SHAPE) | {"type": "invoice.updated"}
    assert normalise(updated).lookups == (Lookup(Subject.INVOICE, INVOICE, SECOND),)
    fresh = changed("invoice_payment_failed", attempt_count=0, attempted=False) | {"type": "invoice.updated"}
    assert normalise(fresh).lookups == ()


@pytest.mark.parametrize("kind", ["invoice.paid", "invoice.payment_failed", "invoice.voided"])
def test_a_one_off_invoice_is_none_of_our_business(kind: str) -> None:
    """It belongs to no subscription."""
    event = changed("invoice_payment_failed", parent=None) | {"type": kind}
    assert normalise(event) == Normalised()
    quote = {"type": "quote_details", "quote_details": {"quote": "qt_1"}, "subscription_details": None}
    event["data"]["object"]["parent"] = quote
    assert normalise(event) == Normalised()


@pytest.mark.parametrize(
    "kind", ["invoice.created", "customer.created", "payout.failed", "", "v1.invoice.paid"]
)
def test_an_unhandled_type_says_nothing(kind: str) -> None:
    """By name, whatever its object looks like."""
    assert normalise(body("invoice_paid", NEW_SHAPE) | {"type": kind, "data": {"object": []}}) == Normalised()


def test_paid_out_of_band_is_money() -> None:
    """By transfer or cash, in the words of both shapes."""
    old = changed("invoice_paid", OLD_SHAPE, amount_paid=0, paid_out_of_band=True)
    new = changed("invoice_paid", NEW_SHAPE, amount_paid=0, amount_paid_off_stripe=4900)
    assert only(normalise(old)).amount_paid == only(normalise(new)).amount_paid == 4900


def test_class_17_an_invoice_of_nothing_is_paid_with_nothing() -> None:
    """A trial's first invoice is paid without money."""
    seen = only(normalise(changed("invoice_paid", amount_paid=0, amount_due=0, total=0)))
    assert (seen.paid_at, seen.amount_paid) == (THIRD, 0)


def test_a_void_invoice() -> None:
    """The time of its transition, or of the event."""
    stamped = changed(
        "invoice_payment_failed", status="void", status_transitions={"voided_at": 1_772_600_000}
    )
    assert normalise(stamped).facts[0] == only(normalise(stamped | {"type": "invoice.voided"}))
    assert only(normalise(stamped | {"type": "invoice.voided"})).voided_at == datetime(
        2026, 3, 4, 4, 53, 20, tzinfo=UTC
    )
    bare = changed("invoice_payment_failed", status="void", status_transitions=None) | {
        "type": "invoice.voided"
    }
    assert only(normalise(bare)).voided_at == SECOND


def test_a_write_off_that_was_paid_later_was_both() -> None:
    """Both transitions stay on the invoice."""
    both = changed(
        "invoice_paid", status_transitions={"marked_uncollectible_at": 1_772_600_000, "paid_at": None}
    )
    seen = only(normalise(both))
    assert (seen.paid_at, seen.written_off_at) == (THIRD, datetime(2026, 3, 4, 4, 53, 20, tzinfo=UTC))


def test_the_last_items_period_counts() -> None:
    """Items of one subscription may be billed at different times."""
    event = body("subscription_past_due", NEW_SHAPE)
    first = event["data"]["object"]["items"]["data"][0]
    event["data"]["object"]["items"]["data"] = [
        first | {"current_period_end": 1_775_000_000},
        first | {"current_period_end": 1_776_000_000},
        first | {"current_period_end": None},
    ]
    assert only(normalise(event)).period_end == datetime(2026, 4, 12, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("fields", [{"cancel_at_period_end": True}, {"cancel_at": 1_775_000_000}])
def test_class_15_both_ways_to_plan_a_cancellation(fields: dict[str, Any]) -> None:
    """At the period's end, or on a date."""
    seen = only(normalise(changed("subscription_past_due", **fields)))
    assert seen.cancel_at_period_end
    if "cancel_at" in fields:
        assert seen.period_end == datetime(2026, 3, 31, 23, 33, 20, tzinfo=UTC)


def test_why_a_subscription_is_paused() -> None:
    """Only a pause for a failed payment is dunning's."""
    details = {"paused": {"type": "subscription", "subscription": {"type": "final_payment_failure"}}}
    event = changed("subscription_past_due", status="paused", status_details=details)
    said = normalise(event | {"type": "customer.subscription.paused"})
    assert only(said).paused_for == "final_payment_failure"
    assert said.lookups
    event["data"]["object"]["status_details"] = None
    assert only(normalise(event)).paused_for is None


def test_the_name_of_a_price_is_the_plan() -> None:
    """If the merchant has given one."""
    event = body("subscription_past_due", OLD_SHAPE)
    event["data"]["object"]["items"]["data"][0]["price"]["nickname"] = "Team, monthly"
    assert only(normalise(event)).plan == "Team, monthly"


def test_a_deleted_customer() -> None:
    """The event shows the whole customer as it was."""
    seen = only(normalise(body("customer_updated", NEW_SHAPE) | {"type": "customer.deleted"}))
    assert (seen.deleted, seen.email) == (True, "ada@customer.example")


def test_nothing_is_asked_about_a_subscription_in_good_standing() -> None:
    """Neither when it changes nor when it is made: an unexpanded payment method costs no request."""
    for status in ("active", "trialing"):
        fields = {"status": status, "default_payment_method": "pm_1"}
        event = changed("subscription_past_due", **fields)
        for kind in ("customer.subscription.created", "customer.subscription.updated"):
            event["data"]["previous_attributes"] = {"default_payment_method": None}
            said = normalise(event | {"type": kind})
            assert said.lookups == ()
            assert only(said).payment_method == "pm_1"


def test_a_test_clock_tells_the_time_at_rest() -> None:
    """While it advances, its events still have to arrive."""
    clock = {"id": "clock_1", "object": "test_helpers.test_clock", "frozen_time": 1_772_277_300}
    event: dict[str, Any] = {
        "object": "event",
        "created": 1_772_277_300,
        "type": "test_helpers.test_clock.ready",
    }
    ready = event | {"data": {"object": clock | {"status": "ready"}}}
    assert only(normalise(ready)) == ClockMoved("clock_1", FIRST)
    moving = event | {"data": {"object": clock | {"status": "advancing"}}}
    assert normalise(moving | {"type": "test_helpers.test_clock.advancing"}) == Normalised()


def test_an_event_of_a_clocks_customer_proves_that_it_got_there() -> None:
    """So a case lives by its clock even where the clock's own events are not subscribed to."""
    said = normalise(changed("invoice_paid", test_clock="clock_1"))
    assert said.facts[-1] == ClockMoved("clock_1", THIRD)
    assert isinstance(said.facts[0], InvoiceSeen)


@pytest.mark.parametrize("kind", ["v1.invoice.payment_failed", "v1.customer.subscription.past_due"])
def test_a_thin_event_has_to_be_read(kind: str) -> None:
    """It names its object only; it is as old as its snapshot, which has no milliseconds."""
    thin = body("invoice_payment_failed", THIN) | {"type": kind, "created": "2026-03-03T11:15:00.987Z"}
    assert normalise(thin) == Normalised(lookups=(Lookup(Subject.EVENT, thin["id"], SECOND, thin),))


def test_a_thin_event_of_the_newer_api_says_nothing() -> None:
    """Only those of the older resources are ours."""
    thin = body("invoice_payment_failed", THIN) | {"type": "v2.core.account.updated"}
    assert normalise(thin) == Normalised()


def test_the_registry_knows_who_speaks_for_whom() -> None:
    """A source without a module of its own speaks the neutral format; what is no event at all is refused."""
    event = body("invoice_paid", NEW_SHAPE)
    assert normalise_from("stripe", event) == normalise(event)
    assert normalise_from("commet", event) == Normalised()
    with pytest.raises(MalformedEventError, match="createdAt"):
        normalise_from("elsewhere", event)
    for source in ("stripe", "commet", "elsewhere"):
        for payload in ([event], None):
            with pytest.raises(MalformedEventError):
                normalise_from(source, payload)


def test_the_simulated_objects_are_the_right_kind() -> None:
    """The stories above would prove nothing if they had no subject."""
    kinds = {type(event.subject) for event in eventful()}
    assert {Customer, Subscription} <= kinds
