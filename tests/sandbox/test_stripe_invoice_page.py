"""The page of an invoice: the card on file, another card, the bank's question, and what cannot be paid."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from sandbox.stripe import Card, SimulatedStripe, bank_debit
from sandbox.stripe.records import PaymentMethod, TestClock
from tests.sandbox.stripe_account import FIRST_ATTEMPT, client, newest, served_failed_renewal

ASKS_ONCE = "4000 0025 0000 3155"


@pytest.fixture
def sim() -> Iterator[SimulatedStripe]:
    """One customer whose renewal failed for lack of funds."""
    with served_failed_renewal() as simulation:
        yield simulation


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """Follows redirects, and runs no scripts."""
    with httpx.Client(follow_redirects=True) as found:
        yield found


def page(sim: SimulatedStripe) -> str:
    """The address that links in mails lead to."""
    return newest(sim)[2].hosted_url or ""


def test_guessing_leads_nowhere(sim: SimulatedStripe, browser: httpx.Client) -> None:
    """Without its secret an invoice is not to be seen, and an unknown one neither."""
    assert browser.get(page(sim)).status_code == 200
    assert browser.get(page(sim).partition("?")[0]).status_code == 404
    assert browser.get(f"{sim.url}/hosted/invoice/in_unknown?s=guess").status_code == 404
    assert browser.post(f"{page(sim)}x").status_code == 404


def test_the_card_on_file_is_declined_and_another_one_pays(
    sim: SimulatedStripe, browser: httpx.Client
) -> None:
    """The refusal is announced on the page; what has paid is saved, but does not become the default."""
    customer, subscription, invoice = newest(sim)
    default = sim.engine.refresh(customer).default_payment_method
    refused = browser.post(page(sim))
    assert refused.status_code == 402
    assert 'role="alert"' in refused.text
    assert "insufficient funds" in refused.text
    paid = browser.post(page(sim), data={"number": "5555 5555 5555 4444", "expiry": "02/31"})
    assert paid.is_success
    assert "was paid on February 10, 2026" in paid.text
    assert sim.engine.refresh(invoice).status == "paid"
    assert sim.engine.refresh(subscription).status == "active"
    assert sim.engine.refresh(customer).default_payment_method == default
    saved = client(sim).v1.customers.payment_methods.list(customer.id).data[0]
    assert saved.card
    assert (saved.card.last4, saved.card.exp_month, saved.card.exp_year) == ("4444", 2, 2031)


def test_a_refused_card_is_not_kept(sim: SimulatedStripe, browser: httpx.Client) -> None:
    """The invoice stays open, and the customer has the cards they had."""
    customer, _, invoice = newest(sim)
    assert browser.post(page(sim), data={"number": "4000000000000069"}).status_code == 402
    assert sim.engine.refresh(invoice).status == "open"
    assert len(client(sim).v1.customers.payment_methods.list(customer.id).data) == 1


def test_a_new_card_whose_bank_asks(sim: SimulatedStripe, browser: httpx.Client) -> None:
    """Nothing is charged before the answer; afterwards the card is saved and the bank is content."""
    customer, _, invoice = newest(sim)
    charged = len(sim.engine.charges(customer))
    asked = browser.post(page(sim), data={"number": ASKS_ONCE})
    assert "/challenge" in str(asked.url)
    assert "A payment of <strong>$20.00</strong>" in asked.text
    assert len(sim.engine.charges(customer)) == charged
    assert sim.engine.payment_intent(invoice).status == "requires_action"
    paid = browser.post(str(asked.url), data={"answer": "complete"})
    assert "was paid on" in paid.text
    charge = sim.engine.charges(customer)[-1]
    assert charge.paid
    assert charge.authenticated
    saved = sim.engine.get(PaymentMethod, charge.payment_method.id)
    assert (saved.customer, saved.card.outcomes) == (customer.id, ("ok",))


def test_not_confirming_with_the_bank(sim: SimulatedStripe, browser: httpx.Client) -> None:
    """The payment fails without a charge, the page can be used again, and Stripe's code says what it was."""
    customer, _, invoice = newest(sim)
    asked = browser.post(page(sim), data={"number": ASKS_ONCE})
    charged = len(sim.engine.charges(customer))
    refused = browser.post(str(asked.url), data={"answer": "fail"})
    assert refused.status_code == 402
    assert "unable to authenticate" in refused.text
    assert len(sim.engine.charges(customer)) == charged
    intent = client(sim).v1.payment_intents.retrieve(invoice.payment_intent or "")
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"
    assert "was paid on" in browser.post(page(sim), data={"number": "4242424242424242"}).text


@pytest.mark.parametrize("outcome", ["requires_action", "authentication_required"])
def test_confirming_the_renewal_with_the_card_on_file(
    sim: SimulatedStripe, browser: httpx.Client, outcome: str
) -> None:
    """What Stripe could not charge alone is paid once the customer says yes to the bank."""
    customer, subscription, invoice = newest(sim)
    sim.engine.save_card(customer, Card(outcomes=[outcome]))
    sim.engine.advance(sim.engine.get(TestClock, invoice.test_clock or ""), FIRST_ATTEMPT + timedelta(days=3))
    assert ("Confirm with your bank" in browser.get(page(sim)).text) == (outcome == "requires_action")
    asked = browser.post(page(sim))
    assert "/challenge" in str(asked.url)
    assert "was paid on" in browser.post(str(asked.url), data={"answer": "complete"}).text
    assert sim.engine.refresh(subscription).status == "active"


def test_a_question_that_is_answered_is_not_asked_again(sim: SimulatedStripe, browser: httpx.Client) -> None:
    """The challenge leads back to the page, whether it is opened or answered once more."""
    asked = browser.post(page(sim), data={"number": ASKS_ONCE})
    browser.post(str(asked.url), data={"answer": "complete"})
    paid = len(sim.engine.events("invoice.paid"))
    for again in (browser.get(str(asked.url)), browser.post(str(asked.url), data={"answer": "fail"})):
        assert "Invoice paid" in again.text
    assert len(sim.engine.events("invoice.paid")) == paid


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"number": "4242 4242 4242 4241"}, "card number is invalid"),
        ({"number": ""}, "Enter a card number"),
        ({"number": "4242424242424242", "expiry": "01 / 26"}, "expiry date is in the past"),
        ({"number": "4242424242424242", "expiry": "13/30"}, "Enter month and year"),
        ({"number": "4242424242424242", "cvc": "12"}, "three or four digits"),
    ],
)
def test_what_is_wrong_in_the_form_is_said_beside_the_field(
    sim: SimulatedStripe, browser: httpx.Client, fields: dict[str, str], complaint: str
) -> None:
    """Nothing is tried; what was entered stays in the field, which is marked and described."""
    answer = browser.post(page(sim), data=fields)
    assert answer.status_code == 422
    assert complaint in answer.text
    assert answer.text.count('aria-invalid="true"') == 1
    assert len(sim.engine.charges(newest(sim)[0])) == 2


def test_an_invoice_of_a_subscription_that_has_ended_can_be_paid(
    sim: SimulatedStripe, browser: httpx.Client
) -> None:
    """It is paid, and the subscription stays what it is."""
    _, subscription, invoice = newest(sim)
    sim.engine.cancel(subscription)
    assert "was paid on" in browser.post(page(sim), data={"number": "4242424242424242"}).text
    assert sim.engine.refresh(invoice).status == "paid"
    assert sim.engine.refresh(subscription).status == "canceled"


def test_a_voided_invoice_cannot_be_paid(sim: SimulatedStripe, browser: httpx.Client) -> None:
    """The page says so, and a form that was open before is refused."""
    sim.engine.void_invoice(newest(sim)[2])
    assert "nothing to pay" in browser.get(page(sim)).text
    assert browser.post(page(sim)).status_code == 400


def test_a_debit_under_way(sim: SimulatedStripe, browser: httpx.Client) -> None:
    """Nobody is asked to pay while the bank has still to answer."""
    sim.engine.save_card(newest(sim)[0], bank_debit())
    text = browser.post(page(sim)).text
    assert "A payment is under way" in text
    assert "<form" not in text


def test_the_link_expires_after_thirty_days(sim: SimulatedStripe, browser: httpx.Client) -> None:
    """An address that Stripe has just told is good for ten days more."""
    _, _, invoice = newest(sim)
    clock = sim.engine.get(TestClock, invoice.test_clock or "")
    sim.engine.advance(clock, FIRST_ATTEMPT + timedelta(days=31))
    assert browser.get(page(sim)).status_code == 410
    assert browser.post(page(sim), data={"number": "4242424242424242"}).status_code == 410
    fresh = client(sim).v1.invoices.retrieve(invoice.id).hosted_invoice_url or ""
    assert browser.get(fresh).status_code == 200
    sim.engine.advance(sim.engine.refresh(clock), FIRST_ATTEMPT + timedelta(days=42))
    assert browser.get(fresh).status_code == 410
