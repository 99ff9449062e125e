"""Webhooks arrive signed, at least once, in the endpoint's version, and in disorder when asked for."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from sandbox.stripe import NEW, OLD, Card, DeliveryPolicy, SimulatedStripe, custom_schedule, simulated_stripe
from sandbox.stripe.delivery import WebhookDelivery
from sandbox.stripe.records import Customer, TestClock
from tests.sandbox.webhook_receiver import Receiver

SECRET = "whsec_test_first"
RENEWAL = datetime(2026, 2, 10, 10, tzinfo=UTC)


@contextmanager
def simulation(**policy: Any) -> Iterator[SimulatedStripe]:
    """A simulation that delivers quickly, and as the policy says."""
    quick = DeliveryPolicy(backoff=(0.01,), **policy)
    with simulated_stripe(policy=custom_schedule(3, 5, 7), delivery=quick) as sim:
        yield sim


def fail_a_renewal(sim: SimulatedStripe) -> Customer:
    """About thirty events."""
    engine = sim.engine
    clock = engine.create_clock(datetime(2026, 1, 10, 9, tzinfo=UTC))
    card = Card(outcomes=["ok", "do_not_honor"])
    customer = engine.create_customer("jürgen@example.com", "Jürgen", clock=clock, card=card)
    engine.create_subscription(customer, engine.create_price())
    engine.advance(clock, RENEWAL)
    return customer


def test_the_client_accepts_the_signature_and_the_body() -> None:
    """Stripe's own library verifies every delivery with the endpoint's secret and no other."""
    with Receiver().listening() as receiver, simulation() as sim:
        sim.add_endpoint(receiver.url, SECRET)
        fail_a_renewal(sim)
        asyncio.run(sim.delivery.drain(5))

        assert len(receiver.bodies) == len(sim.engine.events())
        for body, signature in receiver.received:
            assert stripe.Webhook.construct_event(body, signature, SECRET).api_version == NEW
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(*receiver.received[0], "whsec_test_other")


def test_while_a_secret_is_rolled_both_are_valid() -> None:
    """An endpoint with two secrets gets two signatures."""
    with Receiver().listening() as receiver, simulation() as sim:
        sim.add_endpoint(receiver.url, [SECRET, "whsec_test_second"], enabled_events=["customer.created"])
        fail_a_renewal(sim)
        sim.delivery.wait(5)
        for secret in (SECRET, "whsec_test_second"):
            assert stripe.Webhook.construct_event(*receiver.received[0], secret)


def test_each_endpoint_has_its_version() -> None:
    """One fact, two endpoints: the old shape here, the new one there, under the same id."""
    with Receiver().listening() as old, Receiver().listening() as new, simulation() as sim:
        sim.add_endpoint(old.url, SECRET, OLD, ["invoice.payment_failed"])
        sim.add_endpoint(new.url, SECRET, NEW, ["invoice.payment_failed"])
        fail_a_renewal(sim)
        sim.delivery.wait(5)
        (before,), (after,) = old.events, new.events

    assert before["id"] == after["id"]
    assert (before["api_version"], after["api_version"]) == (OLD, NEW)
    assert before["data"]["object"]["subscription"].startswith("sub_")
    assert after["data"]["object"]["parent"]["subscription_details"]["subscription"].startswith("sub_")
    assert before["created"] == int(RENEWAL.timestamp())
    assert before["pending_webhooks"] == 2


def test_it_is_sent_again_until_acknowledged() -> None:
    """Errors and redirects are failures; each try is signed afresh over the same bytes."""
    with Receiver(500, 302, 404).listening() as receiver, simulation() as sim:
        sim.add_endpoint(receiver.url, SECRET, enabled_events=["invoice.payment_failed"])
        fail_a_renewal(sim)
        sim.delivery.wait(5)
        assert [each.status for each in sim.delivery.log] == [500, 302, 404, 200]
        assert [each.number for each in sim.delivery.log] == [1, 2, 3, 4]
        assert all(0 < each.seconds < 5 for each in sim.delivery.log)
        assert len(set(receiver.bodies)) == 1


def test_each_try_has_a_fresh_timestamp() -> None:
    """The header's time is that of the try, in wall time, whatever the test clock says."""
    wall = iter(range(1_700_000_000, 1_800_000_000))
    with Receiver(500).listening() as receiver, simulation() as sim:
        delivery = WebhookDelivery(DeliveryPolicy(backoff=(0.01,)), wall=lambda: next(wall))
        delivery.add_endpoint(receiver.url, SECRET, enabled_events=["customer.created"])

        async def deliver() -> None:
            delivery.start()
            fail_a_renewal(sim)
            delivery.accept(sim.engine.events("customer.created")[0])
            await delivery.drain(5)
            await delivery.stop()

        asyncio.run(deliver())
    first, second = (signature.partition(",")[0] for signature in receiver.signatures)
    assert first != second


def test_nobody_there() -> None:
    """Until an endpoint answers, its events stay undelivered, and the list of events says so."""
    with simulation() as sim:
        gone = sim.add_endpoint("http://127.0.0.1:9/webhooks", SECRET, enabled_events=["invoice.paid"])
        fail_a_renewal(sim)
        with pytest.raises(TimeoutError, match="1 webhook"):
            sim.delivery.wait(0.1)
        assert sim.delivery.left == 1
        client = stripe.StripeClient(sim.api_key, base_addresses={"api": sim.url})
        lost = client.v1.events.list({"delivery_success": False})
        assert [each.type for each in lost.data] == ["invoice.paid"]
        assert sim.delivery.log[0].error == "ConnectError"

        sim.delivery.remove_endpoint(gone)
        sim.delivery.wait(5)


def test_every_event_twice() -> None:
    """Duplicates carry the same id and the same body."""
    with Receiver().listening() as receiver, simulation(duplicates=1.0) as sim:
        sim.add_endpoint(receiver.url, SECRET)
        fail_a_renewal(sim)
        sim.delivery.wait(5)
        ids = [event["id"] for event in receiver.events]
        assert sorted(ids) == sorted(2 * [event.id for event in sim.engine.events()])
        assert sum(each.duplicate for each in sim.delivery.log) == len(ids) / 2


def test_shuffled_the_same_way_with_the_same_seed() -> None:
    """What was held back goes out in an order that depends on the seed alone."""

    def order(seed: int, shuffle: bool = True) -> list[str]:
        with (
            Receiver().listening() as receiver,
            simulation(shuffle=shuffle, seed=seed, concurrency=1) as sim,
        ):
            sim.add_endpoint(receiver.url, SECRET)
            with sim.delivery.held():
                fail_a_renewal(sim)
            sim.delivery.wait(5)
            return [event["id"] for event in receiver.events]

    straight, one, two = order(1, shuffle=False), order(1), order(2)
    assert order(1) == one
    assert one != two
    assert straight != one
    assert sorted(straight) == sorted(one) == sorted(two)


def test_names_beyond_ascii_arrive_whole() -> None:
    """Bodies are UTF-8."""
    with Receiver().listening() as receiver, simulation() as sim:
        sim.add_endpoint(receiver.url, SECRET, enabled_events=["customer.created"])
        fail_a_renewal(sim)
        sim.delivery.wait(5)
        assert receiver.events[0]["data"]["object"]["name"] == "Jürgen"


def test_events_of_requests_name_them() -> None:
    """An event caused by a request carries the request and its idempotency key."""
    with Receiver().listening() as receiver, simulation() as sim:
        customer = fail_a_renewal(sim)
        sim.add_endpoint(receiver.url, SECRET)
        client = stripe.StripeClient(sim.api_key, base_addresses={"api": sim.url})
        client.v1.customers.update(customer.id, {"name": "New"}, {"idempotency_key": "rename"})
        sim.delivery.wait(5)
        (event,) = receiver.events
    assert event["type"] == "customer.updated"
    assert event["data"]["previous_attributes"] == {"name": "Jürgen"}
    assert event["request"] == {"id": sim.requests[0].id, "idempotency_key": "rename"}


def test_a_customer_walks_from_failure_to_recovery() -> None:
    """Three failures in a row and a payment, as an endpoint sees them."""
    with Receiver().listening() as receiver, simulation() as sim:
        sim.add_endpoint(
            receiver.url,
            SECRET,
            enabled_events=["invoice.payment_failed", "invoice.paid", "customer.subscription.updated"],
        )
        customer = fail_a_renewal(sim)
        for day in (13, 18):
            clock = sim.engine.get(TestClock, customer.test_clock or "")
            sim.engine.advance(clock, RENEWAL.replace(day=day))
        sim.delivery.wait(5)
        failed = [each for each in receiver.events if each["type"] == "invoice.payment_failed"]
        counts = [each["data"]["object"]["attempt_count"] for each in failed]
        assert sorted(counts) == [1, 2, 3]

        sim.engine.save_card(customer, Card(last4="1111"))
        client = stripe.StripeClient(sim.api_key, base_addresses={"api": sim.url})
        client.v1.invoices.pay(failed[0]["data"]["object"]["id"])
        sim.delivery.wait(5)
    updated = [each for each in receiver.events if each["type"] == "customer.subscription.updated"]
    assert {"status": "past_due"} in [each["data"]["previous_attributes"] for each in updated]
