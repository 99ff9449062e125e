"""Ways to pay: from their own events in both shapes, and from whatever they are the default of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dunning.events import (
    AsOf,
    CustomerSeen,
    MethodSeen,
    PaymentMethodChanged,
    SubscriptionSeen,
)
from providers.lookup import MalformedEventError, Normalised, Subject
from providers.stripe.facts import normalise
from sandbox.stripe import NEW, OLD, BillingEngine, Card, RetryPolicy, SimulatedStripe, bank_debit
from sandbox.stripe.objects import render_event
from sandbox.stripe.versions import ApiVersion
from tests.providers.asking import AT, look_up, of

VERSIONS = pytest.mark.parametrize("version", [NEW, OLD])
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
VISA = Card(last4="0341", exp=(3, 2026), country="FR")


def told(engine: BillingEngine, kind: str, version: str) -> Normalised:
    """What the newest event of this type says."""
    return normalise(render_event(engine.events(kind)[-1], ApiVersion(version)))


def by_hand(kind: str = "payment_method.attached", **fields: Any) -> Normalised:
    """An event about a card with these fields."""
    method = {"id": "pm_1", "object": "payment_method", "type": "card", "customer": "cus_1"} | fields
    return normalise({"object": "event", "type": kind, "created": 1_767_225_600, "data": {"object": method}})


@VERSIONS
def test_a_card_that_was_attached(version: str) -> None:
    """A new way to pay, with all that its owner can tell it by, and until when it is good."""
    engine = BillingEngine()
    customer = engine.create_customer("ada@customer.example")
    method = engine.save_card(customer, VISA)
    assert told(engine, "payment_method.attached", version).facts == (
        MethodSeen(
            customer=customer.id,
            method=method.id,
            as_of=AsOf(JANUARY),
            type="card",
            brand="visa",
            last4="0341",
            exp_month=3,
            exp_year=2026,
            country="FR",
        ),
        PaymentMethodChanged(customer.id, JANUARY),
    )


@VERSIONS
def test_a_bank_account_has_no_brand_and_no_expiry(version: str) -> None:
    """Its last four characters stand under the name of its type; the country is the bank's, not a card's."""
    engine = BillingEngine()
    customer = engine.create_customer("ada@customer.example")
    engine.save_card(customer, bank_debit(last4="3001"))
    seen, _ = told(engine, "payment_method.attached", version).facts
    assert isinstance(seen, MethodSeen)
    assert (seen.type, seen.last4, seen.detached) == ("sepa_debit", "3001", False)
    assert (seen.brand, seen.exp_month, seen.exp_year, seen.country) == (None, None, None, None)


@VERSIONS
def test_a_card_that_its_network_has_replaced(version: str) -> None:
    """The same method with a new number and a new date, and a reason to charge it again."""
    engine = BillingEngine()
    customer = engine.create_customer("ada@customer.example")
    method = engine.save_card(customer, VISA)
    engine.network_updates_card(method, Card(last4="4242", exp=(3, 2029)))
    seen, changed = told(engine, "payment_method.automatically_updated", version).facts
    assert isinstance(seen, MethodSeen)
    assert (seen.method, seen.last4, seen.exp_month, seen.exp_year) == (method.id, "4242", 3, 2029)
    assert changed == PaymentMethodChanged(customer.id, JANUARY)


@VERSIONS
def test_a_card_that_was_detached_is_no_new_way_to_pay(version: str) -> None:
    """It names nobody any more: whose it was stands in what it was before."""
    engine = BillingEngine()
    customer = engine.create_customer("ada@customer.example")
    method = engine.save_card(customer, VISA)
    engine.detach_card(method)
    (seen,) = told(engine, "payment_method.detached", version).facts
    assert isinstance(seen, MethodSeen)
    assert (seen.customer, seen.method, seen.last4, seen.detached) == (customer.id, method.id, "0341", True)


def test_a_method_of_nobody_says_nothing() -> None:
    """Attached to nobody, or detached from we know not whom."""
    for kind in ("payment_method.attached", "payment_method.detached", "setup_intent.succeeded"):
        assert by_hand(kind, customer=None) == Normalised()


def test_an_account_may_own_a_method() -> None:
    """Since 14.x `customer` may be null with `customer_account` set."""
    facts = by_hand(customer=None, customer_account="acct_1").facts
    assert {getattr(fact, "customer", None) for fact in facts} == {"acct_1"}


def test_a_set_up_names_the_method_only() -> None:
    """A new way to pay; what it is, its own event tells."""
    said = by_hand("setup_intent.succeeded", id="seti_1", payment_method="pm_1")
    assert said == Normalised((PaymentMethodChanged("cus_1", JANUARY),))


@pytest.mark.parametrize(
    "card", [{"exp_month": 13}, {"exp_month": -1}, {"exp_year": 10_000}, {"exp_year": "2026"}, [], "visa"]
)
def test_a_card_that_is_none(card: Any) -> None:
    """A date that no calendar has would not fit where dates are kept."""
    with pytest.raises(MalformedEventError):
        by_hand(card=card)


def test_the_methods_charged_next_come_with_a_reading(stripe: SimulatedStripe) -> None:
    """The customer's and the subscription's own, with no request more than before."""
    engine = stripe.engine
    customer = engine.create_customer("ada@customer.example", card=VISA)
    own = engine.save_card(customer, Card(brand="amex", last4="0005"))
    common = engine.save_card(customer, VISA)
    bought = engine.create_subscription(customer, engine.create_price(), payment_method=own)
    for subject, ref in (
        (Subject.SUBSCRIPTION, bought.id),
        (Subject.INVOICE, engine.latest_invoice(bought).id),
    ):
        asked = len(stripe.requests)
        facts = look_up(stripe, subject, ref)
        assert {(seen.method, seen.brand) for seen in of(facts, MethodSeen)} == {
            (own.id, "amex"),
            (common.id, "visa"),
        }
        assert {seen.customer for seen in of(facts, MethodSeen)} == {customer.id}
        assert all(seen.as_of.at == AT and seen.as_of.read_at for seen in of(facts, MethodSeen))
        assert of(facts, CustomerSeen)[0].payment_method == common.id
        assert of(facts, SubscriptionSeen)[0].payment_method == own.id
        # An invoice's charges are asked for as well, as ever.
        assert len(stripe.requests) - asked == (1 if subject is Subject.SUBSCRIPTION else 2)


def test_the_customers_other_subscriptions_bring_their_own(stripe: SimulatedStripe) -> None:
    """They were there before we were, and will be charged too."""
    engine = stripe.engine
    customer = engine.create_customer(
        "ada@customer.example", card=Card(outcomes=("ok", "insufficient_funds"))
    )
    policy = RetryPolicy(delays=(86_400,), at_end="past_due")
    bought = engine.create_subscription(customer, engine.create_price(), policy=policy)
    own = engine.save_card(customer, Card(brand="amex", last4="0005"))
    engine.create_subscription(customer, engine.create_price(interval="year"), payment_method=own)
    engine.detach_card(engine.save_card(customer, VISA))
    engine.advance(None, engine.now() + timedelta(days=33))
    facts = look_up(stripe, Subject.SUBSCRIPTION, bought.id)
    assert [seen.brand for seen in of(facts, MethodSeen)] == ["amex"]


def test_whoever_has_nothing_on_file_has_no_method(stripe: SimulatedStripe) -> None:
    """Nor has a deleted customer, of whom nothing is left to expand."""
    engine = stripe.engine
    customer = engine.create_customer("ada@customer.example", card=Card())
    bought = engine.create_subscription(customer, engine.create_price())
    engine.detach_card(engine.save_card(customer, VISA))
    facts = look_up(stripe, Subject.SUBSCRIPTION, bought.id)
    assert of(facts, MethodSeen) == []
    assert of(facts, CustomerSeen)[0].payment_method is None
    engine.delete_customer(customer)
    facts = look_up(stripe, Subject.INVOICE, engine.latest_invoice(bought).id)
    assert of(facts, CustomerSeen)[0].deleted
    assert of(facts, MethodSeen) == []
