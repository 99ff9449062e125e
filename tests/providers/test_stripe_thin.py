"""Thin events say what their snapshots say, and a fact that comes both ways is one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.account import Account
from dunning.case import settle
from dunning.events import CustomerFact, InvoiceSeen, MethodSeen, PaymentMethodChanged, SubscriptionSeen
from dunning.fold import empty, fold
from dunning.plan import plan
from dunning.policy import Policy
from providers.lookup import Normalised, ProviderUnavailableError
from providers.stripe.api import StripeGateway
from providers.stripe.facts import HANDLERS, normalise
from providers.stripe.webhook import ONLY_THIN, envelope
from sandbox.stripe import NEW, BillingEngine, Card, Fault, SimulatedStripe, simulated_stripe
from sandbox.stripe.objects import render_event, thin_event
from sandbox.stripe.records import Event
from sandbox.stripe.versions import ApiVersion
from tests.dunning.deeds import Action, act
from tests.dunning.stories import DAY, START, Setting, Story
from tests.dunning.strategies import courses, deeds, examples, policies, settings_of
from tests.providers.asking import of
from tests.providers.test_stripe_facts import eventful

SHAPE = ApiVersion(NEW)
ELSEWHERE = Fault(match="GET /v2/core/events", times=10_000, status=404)


def read(stripe: SimulatedStripe, thin: Mapping[str, Any]) -> Normalised:
    """What a thin event says, through the gateway."""
    (lookup,) = normalise(thin).lookups

    async def ask() -> Normalised:
        return await StripeGateway(stripe.api_key, api_base=stripe.url).look_up(lookup)

    return asyncio.run(ask())


def test_a_thin_event_says_what_its_snapshot_says() -> None:
    """All that is handled, of a few lives: with the object as it was then, and what it was before."""
    events = [event for event in eventful() if event.type in HANDLERS]
    with simulated_stripe(engine=of_these(events)) as stripe:
        gateway = StripeGateway(stripe.api_key, api_base=stripe.url)

        async def all_of_them() -> list[Normalised]:
            lookups = [normalise(thin_event(event, SHAPE)).lookups[0] for event in events]
            return [await gateway.look_up(lookup) for lookup in lookups]

        said = asyncio.run(all_of_them())
    for event, each in zip(events, said, strict=True):
        snapshot = normalise(render_event(event, SHAPE))
        assert (each.facts, each.lookups, each.twin) == (snapshot.facts, snapshot.lookups, event.id)


def of_these(events: list[Event]) -> BillingEngine:
    """An account that remembers these events."""
    engine = BillingEngine()
    for event in events:
        engine.ledger.put(event)
    return engine


def subscriber(stripe: SimulatedStripe) -> Any:
    engine = stripe.engine
    customer = engine.create_customer("ada@customer.example", card=Card(outcomes=("ok", "do_not_honor")))
    bought = engine.create_subscription(customer, engine.create_price(1900))
    engine.advance(None, engine.now() + timedelta(days=32))
    return customer, bought


def test_without_a_snapshot_the_object_speaks(stripe: SimulatedStripe) -> None:
    """Read back as it is now; a key that may not read events may still read their objects."""
    customer, bought = subscriber(stripe)
    stripe.faults.add(ELSEWHERE)
    said = read(stripe, thin_event(stripe.engine.events("invoice.payment_failed")[0], SHAPE))
    assert said.twin is None
    (seen,) = of(said.facts, InvoiceSeen)
    assert (seen.invoice, seen.customer) == (stripe.engine.latest_invoice(bought).id, customer.id)
    assert seen.as_of.read_at is not None
    (due,) = of(read(stripe, past_due(stripe)).facts, SubscriptionSeen)
    assert due.status == "past_due"
    stripe.faults.clear()
    stripe.faults.add(Fault(match="GET /v2/core/events", status=403))
    assert of(read(stripe, past_due(stripe)).facts, SubscriptionSeen)


def past_due(stripe: SimulatedStripe) -> Mapping[str, Any]:
    """An event that no snapshot has a type for."""
    changed = thin_event(stripe.engine.events("customer.subscription.updated")[-1], SHAPE)
    return changed | {"type": "v1.customer.subscription.past_due"}


def test_what_is_gone_says_nothing(stripe: SimulatedStripe) -> None:
    """An object that Stripe does not know any more, and a method that nobody owns."""
    customer, _ = subscriber(stripe)
    stripe.faults.add(ELSEWHERE)
    method = stripe.engine.save_card(customer, Card())
    attached = thin_event(stripe.engine.events("payment_method.attached")[-1], SHAPE)
    assert of(read(stripe, attached).facts, MethodSeen)
    assert of(read(stripe, attached).facts, PaymentMethodChanged)
    stripe.engine.detach_card(method)
    detached = thin_event(stripe.engine.events("payment_method.detached")[-1], SHAPE)
    assert read(stripe, detached) == Normalised()
    unknown = attached | {"related_object": {"id": "pm_unknown", "type": "payment_method"}}
    assert read(stripe, unknown) == Normalised()
    assert read(stripe, attached | {"related_object": None}) == Normalised()


def test_a_stripe_that_cannot_be_asked_lets_a_thin_event_wait(stripe: SimulatedStripe) -> None:
    """It says nothing by itself, so nothing of it may be lost."""
    subscriber(stripe)
    stripe.faults.add(Fault(match="GET /v2/core/events", times=4, status=500))
    with pytest.raises(ProviderUnavailableError):
        read(stripe, thin_event(stripe.engine.events("invoice.payment_failed")[0], SHAPE))


@pytest.mark.parametrize("kind", sorted(ONLY_THIN))
def test_what_only_thin_events_tell_is_taken_in(kind: str) -> None:
    """As a snapshot it does not exist."""
    thin = b'{"id":"evt_1","object":"v2.core.event","type":"v1.%s","livemode":false}' % kind.encode()
    assert envelope(thin).disposition == "pending"
    assert envelope(thin.replace(b"v2.core.event", b"event")).disposition == "ignored"


def told(facts: list[CustomerFact], customer: str) -> Account:
    return fold(empty("stripe", customer), *facts)


@examples(12)
@given(setting=settings_of, policy=policies, course=courses(deeds, most=10), seed=st.integers(0, 2**32))
def test_a_fact_that_comes_both_ways_counts_once(
    setting: Setting, policy: Policy, course: list[Action], seed: int
) -> None:
    """In any order, and though the object is read later: the same attempts, cases and steps."""
    story = Story(setting)
    snapshots: list[CustomerFact] = []
    thin: list[CustomerFact] = []
    for action in course:
        act(story, action)
        for event in story.hear():
            snapshots += story.say(event)
            thin += story.say_thinly(event) if event.type in HANDLERS else []
    disorder = snapshots + thin
    Random(seed).shuffle(disorder)  # noqa: S311  # disorder, not a secret
    once = settle(told(snapshots, story.customer.id), policy)
    twice = settle(told(disorder, story.customer.id), policy)
    assert twice.cases == once.cases
    assert twice.charges == once.charges
    assert counts(twice) == counts(once)
    for days in (1, 33, 45):
        now = START + days * DAY
        assert plan(twice, {}, policy, now) == plan(once, {}, policy, now)


def counts(account: Account) -> dict[str, Any]:
    return {
        each.ref: (each.attempt_count, each.failed_at, each.paid_at, each.voided_at, each.written_off_at)
        for each in account.invoices.values()
    }
