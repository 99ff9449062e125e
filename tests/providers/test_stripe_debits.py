"""Bank debits over HTTP: under way for days, and a failure only when the bank has said so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dunning.case import settle
from dunning.declines import Category, classify
from dunning.events import (
    ChargeFailed,
    ClockMoved,
    InvoiceSeen,
    LedgerRead,
    PaymentFailed,
)
from dunning.fold import empty, fold
from dunning.policy import Policy
from providers.lookup import Normalised, Subject
from providers.stripe.facts import normalise
from sandbox.stripe import NEW, OLD, Card, SimulatedStripe, bank_debit
from sandbox.stripe.objects import render_event
from sandbox.stripe.records import Invoice
from sandbox.stripe.versions import ApiVersion
from tests.providers.asking import ask, look_up, of

BEGUN = datetime(2026, 2, 1, 1, tzinfo=UTC)
ANSWERED = BEGUN + timedelta(days=5)


def debited(stripe: SimulatedStripe, answer: str) -> Invoice:
    """A renewal whose debit was begun in the morning of 1 February and is answered five days later."""
    engine = stripe.engine
    customer = engine.create_customer("ada@customer.example", card=bank_debit("ok", f"processing:5:{answer}"))
    bought = engine.create_subscription(customer, engine.create_price())
    engine.advance(None, BEGUN + timedelta(hours=1))
    return engine.latest_invoice(bought)


def read(stripe: SimulatedStripe, invoice: Invoice, at: datetime) -> InvoiceSeen:
    (seen,) = of(look_up(stripe, Subject.INVOICE, invoice.id, at), InvoiceSeen)
    return seen


def test_a_debit_under_way_is_no_failure(stripe: SimulatedStripe) -> None:
    """The invoice is open, was attempted, and somebody's bank has still to answer."""
    invoice = debited(stripe, "ok")
    facts = look_up(stripe, Subject.INVOICE, invoice.id, BEGUN)
    (seen,) = of(facts, InvoiceSeen)
    assert (seen.status, seen.attempt_count, seen.processing_since) == ("open", 1, BEGUN)
    assert not of(facts, ChargeFailed)
    assert not of(facts, PaymentFailed)
    (ledger,) = of(facts, LedgerRead)
    assert (ledger.code, ledger.no_method) == (None, False)


@pytest.mark.parametrize("version", [NEW, OLD])
def test_an_event_does_not_tell_and_makes_us_ask(stripe: SimulatedStripe, version: str) -> None:
    """The attempt is counted on the invoice, which says nothing of its payments."""
    invoice = debited(stripe, "ok")
    counted = [each for each in stripe.engine.events("invoice.updated") if each.subject.id == invoice.id]
    said = normalise(render_event(counted[-1], ApiVersion(version)))
    (seen,) = of(said.facts, InvoiceSeen)
    assert seen.processing_since is None
    assert [lookup.ref for lookup in said.lookups] == [invoice.id]


def test_a_debit_that_arrives_is_a_payment(stripe: SimulatedStripe) -> None:
    """When it has arrived, and not before."""
    invoice = debited(stripe, "ok")
    stripe.engine.advance(None, ANSWERED)
    seen = read(stripe, invoice, ANSWERED)
    assert (seen.status, seen.paid_at, seen.processing_since) == ("paid", ANSWERED, None)


def test_a_debit_that_is_returned_failed_when_we_heard_of_it(stripe: SimulatedStripe) -> None:
    """Its charge is as old as the debit; a grace counted from there would have run for five days."""
    invoice = debited(stripe, "insufficient_funds")
    stripe.engine.advance(None, ANSWERED)
    facts = look_up(stripe, Subject.INVOICE, invoice.id, ANSWERED)
    assert of(facts, InvoiceSeen)[0].processing_since is None
    (charge,) = of(facts, ChargeFailed)
    assert (charge.at, charge.method_type, charge.card_brand) == (ANSWERED, "sepa_debit", None)
    assert [failure.at for failure in of(facts, PaymentFailed)] == [ANSWERED]
    decline = classify(code=charge.code, decline_code=charge.decline_code, method_type=charge.method_type)
    assert decline.category is Category.BANK_DEBIT_FAILED


def test_its_grace_begins_with_the_first_news_of_it(stripe: SimulatedStripe) -> None:
    """Readings of later days change nothing of that, in whatever order they come."""
    invoice = debited(stripe, "insufficient_funds")
    stripe.engine.advance(None, ANSWERED + timedelta(days=3))
    (event,) = stripe.engine.events("invoice.payment_failed")
    told = normalise(render_event(event, ApiVersion(NEW)))
    later = look_up(stripe, Subject.INVOICE, invoice.id, ANSWERED + timedelta(days=3))
    soon = look_up(stripe, Subject.INVOICE, invoice.id, ANSWERED)
    for order in ((told.facts, soon, later), (later, soon, told.facts)):
        facts = [fact for group in order for fact in group if not isinstance(fact, ClockMoved)]
        account = settle(fold(empty("stripe", invoice.customer), *facts), Policy())
        (case,) = account.open_cases()
        assert case.opened_at == ANSWERED


def test_an_old_intent_does_not_make_a_new_debit_old(stripe: SimulatedStripe) -> None:
    """The card was declined on the first day; four days later the customer's bank is asked."""
    engine = stripe.engine
    customer = engine.create_customer("ada@customer.example", card=Card(outcomes=("ok", "expired_card")))
    bought = engine.create_subscription(customer, engine.create_price())
    engine.advance(None, BEGUN)
    engine.save_card(customer, bank_debit())
    engine.advance(None, BEGUN + timedelta(days=1, hours=1))
    invoice = engine.latest_invoice(bought)
    assert engine.payment_intent(invoice).created == BEGUN.timestamp()
    assert read(stripe, invoice, BEGUN).processing_since == BEGUN + timedelta(days=1)


def test_both_ends_are_told_by_an_event(stripe: SimulatedStripe) -> None:
    """`charge.failed` leads to the invoice as ever, through its payment."""
    debited(stripe, "insufficient_funds")
    stripe.engine.advance(None, ANSWERED)
    (failed,) = stripe.engine.events("charge.failed")
    said: Normalised = normalise(render_event(failed, ApiVersion(NEW)))
    (lookup,) = said.lookups
    facts = ask(stripe, lambda gateway: gateway.look_up(lookup)).facts
    assert [charge.at for charge in of(facts, ChargeFailed)] == [ANSWERED]
