"""The gateway and the real client against the simulated Stripe, over HTTP."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dunning.declines import Category, classify
from dunning.events import (
    ChargeFailed,
    CustomerSeen,
    InvoiceSeen,
    LedgerRead,
    MethodSeen,
    PaymentFailed,
    SubscriptionSeen,
)
from providers.lookup import NothingToPayError, ProviderUnavailableError, Subject
from providers.stripe.api import StripeGateway
from providers.stripe.facts import normalise
from sandbox.stripe import NEW, OLD, Card, Fault, RetryPolicy, SimulatedStripe
from sandbox.stripe.objects import render_event
from sandbox.stripe.records import Customer, Subscription
from sandbox.stripe.versions import ApiVersion
from tests.providers.asking import AT, ask, look_up, of

DAY = 86_400
RENEWED = datetime(2026, 2, 1, 1, tzinfo=UTC)


def subscriber(
    stripe: SimulatedStripe, *answers: str, retries: int = 2, country: str = "US"
) -> tuple[Customer, Subscription]:
    """A subscriber in February, a month and all retries after a first payment that went through."""
    policy = RetryPolicy(delays=(DAY,) * retries, at_end="past_due")
    engine = stripe.engine
    card = Card(outcomes=("ok", *answers), country=country)
    customer = engine.create_customer("ada@customer.example", "Ada", card=card, preferred_locales=("de",))
    bought = engine.create_subscription(customer, engine.create_price(product_name="Team"), policy=policy)
    engine.advance(None, engine.now() + timedelta(days=40))
    return customer, bought


def test_an_invoice_is_read_with_all_that_belongs_to_it(stripe: SimulatedStripe) -> None:
    """One answer brings the invoice, its customer and its subscription, as of the event that asked."""
    customer, bought = subscriber(stripe, "insufficient_funds")
    invoice = stripe.engine.latest_invoice(bought)
    before = datetime.now(UTC)
    facts = look_up(stripe, Subject.INVOICE, invoice.id)
    (seen,), (owner,), (owned,) = (
        of(facts, InvoiceSeen),
        of(facts, CustomerSeen),
        of(facts, SubscriptionSeen),
    )
    assert (seen.customer, seen.subscription, seen.status) == (customer.id, bought.id, "open")
    assert (owner.email, owner.locales) == ("ada@customer.example", ("de",))
    assert (owned.status, owned.customer) == ("past_due", customer.id)
    for fact in (seen, owner, owned):
        assert fact.as_of.at == AT
        assert fact.as_of.read_at is not None
        assert before <= fact.as_of.read_at <= datetime.now(UTC)


def test_what_is_read_back_is_what_the_event_says(stripe: SimulatedStripe) -> None:
    """The client's pinned version and the endpoint's give the same facts."""
    _, bought = subscriber(stripe, "insufficient_funds")
    event = stripe.engine.events("invoice.payment_failed")[-1]
    told = normalise(render_event(event, ApiVersion(NEW))).facts[0]
    (seen,) = of(look_up(stripe, Subject.INVOICE, stripe.engine.latest_invoice(bought).id), InvoiceSeen)
    assert isinstance(told, InvoiceSeen)
    assert replace(seen, as_of=told.as_of) == told


def test_class_10_the_ledger_has_every_charge_that_was_made(stripe: SimulatedStripe) -> None:
    """Three attempts, three charges, each with its own reason and time."""
    _, bought = subscriber(stripe, "insufficient_funds", "do_not_honor", "expired_card")
    invoice = stripe.engine.latest_invoice(bought)
    facts = look_up(stripe, Subject.INVOICE, invoice.id)
    charges = sorted(of(facts, ChargeFailed), key=lambda charge: charge.at)
    assert [charge.decline_code for charge in charges] == [
        "insufficient_funds",
        "do_not_honor",
        "expired_card",
    ]
    assert [charge.at for charge in charges] == [RENEWED + timedelta(days=days) for days in (0, 1, 2)]
    assert {failure.at for failure in of(facts, PaymentFailed)} == {charge.at for charge in charges}
    (read,) = of(facts, LedgerRead)
    assert (read.attempt, read.code, read.decline_code, read.method_type, read.no_method) == (
        3,
        "expired_card",
        "expired_card",
        "card",
        False,
    )


def test_class_10_a_hard_decline_is_one_charge_for_three_attempts(stripe: SimulatedStripe) -> None:
    """Stripe counts on, and charges nothing."""
    _, bought = subscriber(stripe, "stolen_card")
    facts = look_up(stripe, Subject.INVOICE, stripe.engine.latest_invoice(bought).id)
    assert len(of(facts, ChargeFailed)) == 1
    assert of(facts, LedgerRead)[0].attempt == 3
    assert of(facts, LedgerRead)[0].decline_code == "stolen_card"


def test_the_customers_own_tries_are_in_the_ledger(stripe: SimulatedStripe) -> None:
    """Two charges, one position in the schedule."""
    _, bought = subscriber(stripe, "insufficient_funds", retries=0)
    stripe.engine.pay_invoice(stripe.engine.latest_invoice(bought))
    facts = look_up(stripe, Subject.INVOICE, stripe.engine.latest_invoice(bought).id)
    assert len(of(facts, ChargeFailed)) == 2
    assert of(facts, LedgerRead)[0].attempt == 1


def test_class_9_a_payment_that_waits_for_the_bank_says_so(stripe: SimulatedStripe) -> None:
    """No charge was made, and there is no error to read: the intent's state is the reason."""
    _, bought = subscriber(stripe, "requires_action")
    facts = look_up(stripe, Subject.INVOICE, stripe.engine.latest_invoice(bought).id)
    assert not of(facts, ChargeFailed)
    (read,) = of(facts, LedgerRead)
    decline = classify(code=read.code, decline_code=read.decline_code)
    assert decline.category is Category.AUTHENTICATION_REQUIRED
    assert not read.no_method


def test_without_a_payment_method_there_is_no_charge(stripe: SimulatedStripe) -> None:
    """Nothing on file: no charge, no error, and that is the reason."""
    engine = stripe.engine
    customer = engine.create_customer("ada@customer.example", card=Card())
    bought = engine.create_subscription(customer, engine.create_price())
    engine.detach_card(engine.save_card(customer, Card()))
    engine.advance(None, engine.now() + timedelta(days=33))
    (read,) = of(look_up(stripe, Subject.INVOICE, engine.latest_invoice(bought).id), LedgerRead)
    assert (read.no_method, read.code, read.decline_code) == (True, None, None)


def test_an_invoice_that_was_not_tried_has_no_ledger(stripe: SimulatedStripe) -> None:
    """For about an hour after it was made."""
    engine = stripe.engine
    customer = engine.create_customer("ada@customer.example", card=Card())
    bought = engine.create_subscription(customer, engine.create_price())
    engine.advance(None, datetime(2026, 2, 1, 0, 30, tzinfo=UTC))
    facts = look_up(stripe, Subject.INVOICE, engine.latest_invoice(bought).id)
    assert of(facts, InvoiceSeen)[0].status == "draft"
    assert not of(facts, LedgerRead)


def test_an_invoice_paid_at_once_has_failed_nothing(stripe: SimulatedStripe) -> None:
    """A charge that went through is no line of the ledger."""
    _, bought = subscriber(stripe, "ok")
    facts = look_up(stripe, Subject.INVOICE, stripe.engine.latest_invoice(bought).id)
    assert of(facts, InvoiceSeen)[0].paid_at == RENEWED
    assert not of(facts, ChargeFailed)
    assert not of(facts, PaymentFailed)


def test_what_is_left_of_a_deleted_customer(stripe: SimulatedStripe) -> None:
    """Stripe expands them to three fields."""
    customer, bought = subscriber(stripe, "insufficient_funds")
    stripe.engine.delete_customer(customer)
    for subject, ref in (
        (Subject.INVOICE, stripe.engine.latest_invoice(bought).id),
        (Subject.SUBSCRIPTION, bought.id),
    ):
        facts = look_up(stripe, subject, ref)
        assert of(facts, CustomerSeen)[0].deleted
        assert of(facts, SubscriptionSeen)[0].status == "canceled"


def test_a_subscription_is_read_with_its_customer(stripe: SimulatedStripe) -> None:
    """Before anything irreversible; and with what they pay with."""
    customer, bought = subscriber(stripe, "insufficient_funds")
    facts = look_up(stripe, Subject.SUBSCRIPTION, bought.id)
    assert [type(fact) for fact in facts] == [SubscriptionSeen, CustomerSeen, MethodSeen]
    assert of(facts, CustomerSeen)[0].customer == customer.id


def test_a_payment_leads_to_its_invoice(stripe: SimulatedStripe) -> None:
    """Since basil only `invoice_payments` knows which."""
    _, bought = subscriber(stripe, "insufficient_funds")
    invoice = stripe.engine.latest_invoice(bought)
    facts = look_up(stripe, Subject.PAYMENT, invoice.payment_intent or "")
    assert of(facts, InvoiceSeen)[0].invoice == invoice.id
    assert len(of(facts, ChargeFailed)) == 3


@pytest.mark.parametrize("version", [OLD, NEW])
def test_a_refund_leads_to_what_was_given_back(stripe: SimulatedStripe, version: str) -> None:
    """The charge names its invoice or its payment only; refunds of all its charges are added up."""
    _, bought = subscriber(stripe, "ok")
    invoice = stripe.engine.latest_invoice(bought)
    stripe.engine.refund(invoice, 700)
    stripe.engine.refund(invoice, 200)
    [_, event] = stripe.engine.events("charge.refunded")
    [lookup] = normalise(render_event(event, ApiVersion(version))).lookups
    [seen] = of(look_up(stripe, lookup.subject, lookup.ref), InvoiceSeen)
    assert (seen.invoice, seen.amount_paid, seen.amount_refunded) == (invoice.id, 2000, 900)


@pytest.mark.parametrize("subject", [Subject.INVOICE, Subject.SUBSCRIPTION, Subject.PAYMENT])
def test_what_stripe_does_not_know_says_nothing(stripe: SimulatedStripe, subject: Subject) -> None:
    """404 is an answer, not an outage."""
    assert look_up(stripe, subject, "xx_unknown") == ()


def test_unknown_invoices_and_products_have_no_link_and_no_name(stripe: SimulatedStripe) -> None:
    """A mail reads well without."""
    assert ask(stripe, lambda gateway: gateway.payment_link("in_unknown")) is None
    assert ask(stripe, lambda gateway: gateway.product_name("prod_unknown")) is None


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("subject", [Subject.INVOICE, Subject.SUBSCRIPTION, Subject.PAYMENT])
def test_an_outage_is_unavailable(stripe: SimulatedStripe, status: int, subject: Subject) -> None:
    """Whoever asked comes back later."""
    stripe.faults.add(Fault(status=status, times=9))
    with pytest.raises(ProviderUnavailableError):
        look_up(stripe, subject, "xx_1")


def test_an_outage_half_way_is_unavailable(stripe: SimulatedStripe) -> None:
    """The invoice could be read, its charges could not: half a ledger is none."""
    _, bought = subscriber(stripe, "insufficient_funds")
    stripe.faults.add(Fault(match="GET /v1/charges", status=500, times=9))
    with pytest.raises(ProviderUnavailableError):
        look_up(stripe, Subject.INVOICE, stripe.engine.latest_invoice(bought).id)


def test_one_slip_is_tried_again_at_once(stripe: SimulatedStripe) -> None:
    """The client repeats a request once by itself."""
    _, bought = subscriber(stripe, "insufficient_funds")
    stripe.faults.add(Fault(status=500, times=1))
    assert look_up(stripe, Subject.SUBSCRIPTION, bought.id)


def test_a_stripe_that_hangs_is_unavailable() -> None:
    """A socket that takes the request and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ProviderUnavailableError):
            ask(url, lambda gateway: gateway.payment_link("in_1"), timeout=0.2)


def test_a_stripe_that_is_not_there_is_unavailable() -> None:
    """Nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ProviderUnavailableError):
        ask(f"http://127.0.0.1:{port}", lambda gateway: gateway.product_name("prod_1"))


def test_a_key_that_stripe_refuses_is_unavailable(stripe: SimulatedStripe) -> None:
    """Rolled too early: events wait until somebody has put the new key in; nothing is quoted."""
    gateway_with_old_key = stripe.url
    stripe.api.accounts.roll("sk_test_rolled")
    with pytest.raises(ProviderUnavailableError) as refused:
        ask(gateway_with_old_key, lambda gateway: gateway.payment_link("in_1"))
    assert str(refused.value) == "AuthenticationError"


def test_the_payment_link_is_the_hosted_page(stripe: SimulatedStripe) -> None:
    """While the invoice is open; afterwards there is nothing to pay."""
    _, bought = subscriber(stripe, "insufficient_funds")
    invoice = stripe.engine.latest_invoice(bought)
    assert ask(stripe, lambda gateway: gateway.payment_link(invoice.id)) == invoice.hosted_url
    stripe.engine.pay_invoice(invoice, card=Card())
    with pytest.raises(NothingToPayError, match="paid"):
        ask(stripe, lambda gateway: gateway.payment_link(invoice.id))


def test_a_products_name_is_asked_once(stripe: SimulatedStripe) -> None:
    """Per process, also when there is none."""
    price = stripe.engine.create_price(product_name="Team plan")

    async def twice(gateway: StripeGateway) -> list[str | None]:
        wanted = (price.product, price.product, "prod_unknown", "prod_unknown")
        return [await gateway.product_name(product) for product in wanted]

    assert ask(stripe, twice) == ["Team plan", "Team plan", None, None]
    assert len(stripe.api.requested("GET", "/v1/products")) == 2


def test_reading_changes_nothing(stripe: SimulatedStripe) -> None:
    """Every request is a GET."""
    _, bought = subscriber(stripe, "insufficient_funds")
    look_up(stripe, Subject.INVOICE, stripe.engine.latest_invoice(bought).id)
    assert {request.method for request in stripe.requests} == {"GET"}
    assert {request.version for request in stripe.requests} == {NEW}
