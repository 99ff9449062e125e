"""Charging and ending over HTTP: what came of it, once for each key, and no word of Stripe's in a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from providers.lookup import Charged, EndAction, ProviderUnavailableError
from sandbox.stripe import Card, Fault, RetryPolicy, SimulatedStripe, bank_debit, simulated_stripe
from sandbox.stripe.records import Invoice, PaymentMethod, Subscription
from tests.providers.asking import ask

# Stripe's library hands httpx a body in a way that httpx is about to give up.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

ACTIONS: tuple[EndAction, ...] = ("cancel", "pause", "unpaid")


@pytest.fixture
def stripe() -> Iterator[SimulatedStripe]:
    """Whose schedule has one retry, two days after the first attempt."""
    with simulated_stripe(policy=RetryPolicy(delays=(2 * 86_400,), at_end="past_due")) as server:
        yield server


def failing(stripe: SimulatedStripe, *outcomes: str, card: Card | None = None) -> Invoice:
    """An open invoice whose first attempt has failed; `outcomes` follow."""
    engine = stripe.engine
    customer = engine.create_customer(
        "ada@customer.example", card=Card(outcomes=("ok", "insufficient_funds", *outcomes))
    )
    bought = engine.create_subscription(customer, engine.create_price())
    engine.advance(None, datetime(2026, 2, 1, 2, tzinfo=UTC))
    if card:
        engine.save_card(customer, card)
    return engine.latest_invoice(bought)


def pay(stripe: SimulatedStripe, invoice: str, key: str = "own_retry:1") -> Charged:
    return ask(stripe, lambda gateway: gateway.pay(invoice, key))


def end(stripe: SimulatedStripe, subscription: str, action: EndAction, key: str = "end:1") -> None:
    ask(stripe, lambda gateway: gateway.end(subscription, action, key))


def subscription_of(stripe: SimulatedStripe, invoice: Invoice) -> Subscription:
    return stripe.engine.get(Subscription, invoice.subscription)


def test_a_charge_that_goes_through(stripe: SimulatedStripe) -> None:
    """Off session, with the key it was asked for."""
    invoice = failing(stripe, "ok")
    assert pay(stripe, invoice.id) == Charged("paid")
    assert stripe.engine.refresh(invoice).status == "paid"
    (request,) = stripe.api.requested("POST", "/v1/invoices")
    assert request.idempotency_key == "own_retry:1"
    assert request.params["off_session"] == "true"


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ("insufficient_funds", "insufficient_funds"),
        ("highest_risk_level", "fraudulent"),
        ("authentication_required", "authentication_required"),
        ("requires_action", "invoice_payment_intent_requires_action"),
    ],
)
def test_a_charge_that_is_declined(stripe: SimulatedStripe, outcome: str, reason: str) -> None:
    """The issuer's reason, or Stripe's own where the issuer was not asked."""
    invoice = failing(stripe, outcome)
    assert pay(stripe, invoice.id) == Charged("declined", reason)
    assert stripe.engine.refresh(invoice).status == "open"


def test_the_same_key_charges_once(stripe: SimulatedStripe) -> None:
    """However often it is asked; another key is another charge."""
    invoice = failing(stripe, "do_not_honor", "ok")
    assert [pay(stripe, invoice.id) for _ in range(3)] == [Charged("declined", "do_not_honor")] * 3
    assert len(stripe.engine.events("charge.failed")) == 2
    assert pay(stripe, invoice.id, "own_retry:2") == Charged("paid")


def test_an_answer_that_was_lost_is_had_with_the_same_key(stripe: SimulatedStripe) -> None:
    """Charged, but we did not hear of it: nothing is known, and asking again charges nothing."""
    invoice = failing(stripe, "ok")
    stripe.faults.add(Fault(match="/pay$", status=500, times=2, after=True))
    with pytest.raises(ProviderUnavailableError):
        pay(stripe, invoice.id)
    assert pay(stripe, invoice.id) == Charged("paid")
    assert len([each for each in stripe.engine.events("invoice.paid") if each.subject.id == invoice.id]) == 1


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_an_outage_leaves_it_unknown(stripe: SimulatedStripe, status: int) -> None:
    """A request in flight under the same key, too many of them, or none answered."""
    invoice = failing(stripe, "ok")
    stripe.faults.add(Fault(match="/pay$", status=status, times=9))
    with pytest.raises(ProviderUnavailableError) as unknown:
        pay(stripe, invoice.id)
    assert unknown.value.passing is (status == 429)
    assert stripe.engine.refresh(invoice).status == "open"


def test_a_bank_debit_is_under_way(stripe: SimulatedStripe) -> None:
    """Its end comes days later; until then nothing more can be charged."""
    invoice = failing(stripe, card=bank_debit("processing:5:ok"))
    assert pay(stripe, invoice.id) == Charged("processing")
    assert pay(stripe, invoice.id, "own_retry:2") == Charged("refused", "payment_intent_unexpected_state")
    stripe.engine.advance(None, stripe.engine.now() + timedelta(days=5))
    assert stripe.engine.refresh(invoice).status == "paid"


def test_what_cannot_be_charged_is_refused(stripe: SimulatedStripe) -> None:
    """Nothing on file, paid, void, or not known: asking again would change nothing."""
    engine = stripe.engine
    bare = failing(stripe)
    for method in engine.ledger.of(PaymentMethod, bare.customer):
        engine.detach_card(method)
    assert pay(stripe, bare.id, "a") == Charged("refused", "missing")
    engine.void_invoice(bare)
    paid = engine.ledger.of(Invoice, bare.subscription)[0]
    assert pay(stripe, bare.id, "b") == Charged("refused", "invalid_request")
    assert pay(stripe, paid.id, "c") == Charged("refused", "invalid_request")
    assert pay(stripe, "in_unknown", "d") == Charged("refused", "resource_missing")


def test_cancelled_for_good(stripe: SimulatedStripe) -> None:
    """At once, and with no invoice or credit for the rest of the period."""
    invoice = failing(stripe)
    end(stripe, invoice.subscription, "cancel")
    assert subscription_of(stripe, invoice).status == "canceled"
    (request,) = stripe.api.requested("DELETE")
    assert request.params == {"invoice_now": "false", "prorate": "false"}


def test_paused_until_somebody_resumes_it(stripe: SimulatedStripe) -> None:
    """No further period, no further invoice."""
    invoice = failing(stripe)
    end(stripe, invoice.subscription, "pause")
    paused = subscription_of(stripe, invoice)
    assert (paused.status, paused.paused_for, paused.pause_collection) == (
        "paused",
        "pause_requested",
        None,
    )
    stripe.engine.advance(None, stripe.engine.now() + timedelta(days=60))
    assert stripe.engine.latest_invoice(paused).id == invoice.id


def test_in_classic_billing_mode_further_invoices_are_voided(stripe: SimulatedStripe) -> None:
    """Stripe pauses flexible subscriptions only."""
    invoice = failing(stripe)
    stripe.engine.ledger.put(replace(subscription_of(stripe, invoice), billing_mode="classic"))
    end(stripe, invoice.subscription, "pause")
    held = subscription_of(stripe, invoice)
    assert (held.status, held.pause_collection) == ("past_due", "void")
    stripe.engine.advance(None, stripe.engine.now() + timedelta(days=30))
    assert stripe.engine.latest_invoice(held).status == "void"


def test_unpaid_goes_on_making_invoices_and_charges_none(stripe: SimulatedStripe) -> None:
    """No request sets the status, so further invoices stay drafts."""
    invoice = failing(stripe)
    end(stripe, invoice.subscription, "unpaid")
    held = subscription_of(stripe, invoice)
    assert held.pause_collection == "keep_as_draft"
    stripe.engine.advance(None, stripe.engine.now() + timedelta(days=30))
    newest = stripe.engine.latest_invoice(held)
    assert newest.id != invoice.id
    assert (newest.status, newest.attempt_count) == ("draft", 0)


@pytest.mark.parametrize("action", ACTIONS)
def test_what_has_ended_is_left_alone(stripe: SimulatedStripe, action: EndAction) -> None:
    """Cancelled meanwhile, or not known: there is nothing to end."""
    invoice = failing(stripe)
    stripe.engine.cancel(subscription_of(stripe, invoice))
    end(stripe, invoice.subscription, action)
    end(stripe, "sub_unknown", action)
    assert not [each for each in stripe.requests if each.method != "GET"]


@pytest.mark.parametrize("action", ACTIONS)
def test_what_ends_while_we_ask_is_left_alone_too(stripe: SimulatedStripe, action: EndAction) -> None:
    """It was there when we looked, and is gone when we act."""
    invoice = failing(stripe)
    stripe.faults.add(Fault(match="^(POST|DELETE) /v1/subscriptions", status=404))
    end(stripe, invoice.subscription, action)
    assert len(stripe.requests) == 1


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("cancel", "customer.subscription.deleted"),
        ("pause", "customer.subscription.paused"),
        ("unpaid", "customer.subscription.updated"),
    ],
)
def test_ending_twice_is_ending_once(stripe: SimulatedStripe, action: EndAction, kind: str) -> None:
    """Again with the same key, after an answer that was lost."""
    invoice = failing(stripe)
    before = len(stripe.engine.events(kind))
    stripe.faults.add(Fault(match="^(POST|DELETE) ", status=500, times=2, after=True))
    with pytest.raises(ProviderUnavailableError):
        end(stripe, invoice.subscription, action)
    end(stripe, invoice.subscription, action)
    assert len(stripe.engine.events(kind)) - before == 1


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", [429, 500])
def test_an_outage_ends_nothing(stripe: SimulatedStripe, action: EndAction, status: int) -> None:
    """Whoever asked comes back."""
    invoice = failing(stripe)
    stripe.faults.add(Fault(match="^(POST|DELETE) ", status=status, times=9))
    with pytest.raises(ProviderUnavailableError):
        end(stripe, invoice.subscription, action)
    assert subscription_of(stripe, invoice).status == "past_due"


def test_what_stripe_refuses_is_for_a_person(stripe: SimulatedStripe) -> None:
    """Unexpected, so it is neither done nor passed over; only the code is told."""
    invoice = failing(stripe)
    stripe.faults.add(Fault(match="/pause$", status=400, times=9))
    with pytest.raises(ProviderUnavailableError) as refused:
        end(stripe, invoice.subscription, "pause")
    assert str(refused.value) == "invalid_request"


def test_nothing_stripe_says_is_logged(stripe: SimulatedStripe, caplog: pytest.LogCaptureFixture) -> None:
    """From the level on at which libraries are heard: its texts may name people and what they pay with."""
    invoice = failing(stripe, "stolen_card")
    with caplog.at_level(logging.WARNING):
        charged = pay(stripe, invoice.id)
        stripe.faults.add(Fault(match="/pay$", status=500, times=9))
        with pytest.raises(ProviderUnavailableError) as unknown:
            pay(stripe, invoice.id, "own_retry:2")
    assert charged == Charged("declined", "stolen_card")
    assert caplog.records == []
    assert str(unknown.value) == "APIError"
    assert unknown.value.__suppress_context__
