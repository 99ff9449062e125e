"""Bank debits: the charge is pending for days, and everything else follows the bank's answer."""

from datetime import timedelta

import pytest

from sandbox.stripe import NEW, OLD, Card, bank_debit, custom_schedule
from sandbox.stripe.errors import ApiError
from sandbox.stripe.objects import render
from sandbox.stripe.versions import ApiVersion
from tests.sandbox.stripe_account import FIRST_ATTEMPT, Account, subscribed

DAYS = timedelta(days=1)


def debited(*answers: str) -> Account:
    """A subscriber whose first payment has arrived, and whose renewal is debited."""
    account = subscribed("ok", policy=custom_schedule(3, 5, 7))
    account.engine.save_card(account.customer, bank_debit(*answers))
    account.advance(FIRST_ATTEMPT)
    return account


def test_a_debit_is_pending_until_the_bank_answers() -> None:
    """An open invoice, attempted, with a payment that is processing; the subscription stays active."""
    account = debited("processing:5:ok")
    charge = account.engine.charges(account.customer)[-1]
    assert (charge.paid, charge.clears) == (False, "ok")
    assert (account.invoice.status, account.invoice.attempt_count) == ("open", 1)
    assert account.invoice.next_payment_attempt is None
    assert account.engine.payment_intent(account.invoice).status == "processing"
    assert account.status == "active"
    assert account.failures == []
    assert not account.engine.refresh(account.customer).delinquent


def test_a_debit_that_arrives() -> None:
    """To the minute, five days later; the events come in the order of a payment."""
    account = debited("processing:5:ok")
    account.advance(FIRST_ATTEMPT + 5 * DAYS - timedelta(minutes=1))
    assert account.invoice.status == "open"
    seen = len(account.engine.events())
    account.advance(FIRST_ATTEMPT + 5 * DAYS)
    assert (account.invoice.status, account.status) == ("paid", "active")
    types = [event.type for event in account.engine.events()[seen:]]
    told = ["charge.succeeded", "payment_intent.succeeded", "invoice.paid"]
    assert [each for each in types if each in told] == told


def test_a_debit_that_is_returned() -> None:
    """The subscription is past due from then on, and Stripe does not try a bank again by itself."""
    account = debited("processing:5:insufficient_funds")
    account.advance(FIRST_ATTEMPT + 5 * DAYS)
    (failure,) = account.failures
    assert failure.created == int((FIRST_ATTEMPT + 5 * DAYS).timestamp())
    assert (account.status, account.invoice.attempt_count) == ("past_due", 1)
    assert account.invoice.next_payment_attempt is None
    error = account.engine.payment_intent(account.invoice).error
    assert error is not None
    assert (error.decline.code, error.decline.decline_code) == ("insufficient_funds", "insufficient_funds")


def test_nothing_else_is_charged_meanwhile() -> None:
    """Neither by hand; afterwards a card pays."""
    account = debited("processing:5:insufficient_funds")
    with pytest.raises(ApiError, match="processing"):
        account.engine.pay_invoice(account.invoice, card=Card())
    account.advance(FIRST_ATTEMPT + 5 * DAYS)
    assert account.engine.pay_invoice(account.invoice, card=Card()).succeeded
    assert account.status == "active"


def test_a_debit_by_hand_is_taken_up() -> None:
    """It is neither paid nor declined; the scheduled retry waits for its end."""
    account = subscribed("ok", "do_not_honor", policy=custom_schedule(3, 5, 7))
    account.advance(FIRST_ATTEMPT)
    attempt = account.engine.pay_invoice(account.invoice, card=bank_debit("processing:5:ok"))
    assert (attempt.pending, attempt.succeeded, attempt.decline) == (True, False, None)
    account.advance(FIRST_ATTEMPT + 4 * DAYS)
    assert (account.invoice.status, account.invoice.attempt_count) == ("open", 1)
    account.advance(FIRST_ATTEMPT + 5 * DAYS)
    assert (account.invoice.status, account.status) == ("paid", "active")


def test_a_voided_invoice_is_not_paid_after_all() -> None:
    """Its payment was given up while the bank was still asked."""
    account = debited("processing:5:ok")
    account.engine.void_invoice(account.invoice)
    account.advance(FIRST_ATTEMPT + 6 * DAYS)
    assert account.invoice.status == "void"


def test_a_first_payment_under_way_begins_the_subscription() -> None:
    """It does not stay incomplete for the days a bank takes."""
    account = subscribed("processing:5:ok")
    assert account.status == "active"
    account.advance(FIRST_ATTEMPT - 20 * DAYS)
    assert (account.status, account.invoice.status) == ("active", "paid")


@pytest.mark.parametrize("version", [OLD, NEW])
def test_the_bodies_of_a_debit(version: str) -> None:
    """The account under the name of its type, for the method and for its charge; no card anywhere."""
    account = debited("processing:5:insufficient_funds")
    charge = account.engine.charges(account.customer)[-1]
    for body in (
        render(charge.payment_method, ApiVersion(version)),
        render(charge, ApiVersion(version))["payment_method_details"],
    ):
        assert body["type"] == "sepa_debit"
        assert (body["sepa_debit"]["last4"], body["sepa_debit"]["country"]) == ("3000", "DE")
        assert "card" not in body
    pending = render(charge, ApiVersion(version))
    assert (pending["status"], pending["paid"], pending["failure_code"]) == ("pending", False, None)
    account.advance(FIRST_ATTEMPT + 5 * DAYS)
    returned = render(account.engine.refresh(charge), ApiVersion(version))
    assert (returned["status"], returned["failure_code"]) == ("failed", "insufficient_funds")
    assert returned["created"] == charge.created
