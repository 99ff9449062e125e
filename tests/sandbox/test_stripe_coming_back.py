"""Beginning again over the API: a subscription with the saved card, and the end of the old invoices."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import stripe

from sandbox.stripe import Card, RetryPolicy, SimulatedStripe
from sandbox.stripe.policy import DAY
from sandbox.stripe.records import Customer, Subscription, TestClock
from tests.sandbox.stripe_account import FIRST_ATTEMPT, client, newest, served_failed_renewal


@pytest.fixture
def sim() -> Iterator[SimulatedStripe]:
    """One customer whose renewal failed for lack of funds."""
    with served_failed_renewal() as simulation:
        yield simulation


def begin(sim: SimulatedStripe, **more: Any) -> Any:
    """Subscribe the customer again, as a program does."""
    customer, subscription, _ = newest(sim)
    params: Any = {"customer": customer.id, "items": [{"price": subscription.items[0].price.id}]}
    return client(sim).v1.subscriptions.create(params | more)


def subscriptions(sim: SimulatedStripe) -> list[Subscription]:
    """All there are, ended or not."""
    return sim.engine.ledger.of(Subscription, newest(sim)[0].id)


@pytest.mark.parametrize("outcome", ["insufficient_funds", "requires_action"])
def test_nothing_is_left_of_what_could_not_be_paid(sim: SimulatedStripe, outcome: str) -> None:
    """`error_if_incomplete` answers 402 with the reason, and there is no subscription and no invoice."""
    customer = newest(sim)[0]
    sim.engine.save_card(customer, Card(outcomes=[outcome]))
    before, since = len(subscriptions(sim)), len(sim.engine.events())
    with pytest.raises(stripe.CardError) as refused:
        begin(sim, payment_behavior="error_if_incomplete", off_session=True)
    assert refused.value.http_status == 402
    if outcome == "insufficient_funds":
        error: Any = refused.value.error
        assert (refused.value.code, error.decline_code) == ("card_declined", outcome)
        assert refused.value.user_message == "Your card has insufficient funds."
    else:
        assert refused.value.code == "subscription_payment_intent_requires_action"
    assert len(subscriptions(sim)) == before
    assert sim.engine.events()[since:] == []


def test_a_card_that_pays_begins_at_once(sim: SimulatedStripe) -> None:
    """With a card of its own, and once however often it is asked for with one key."""
    card = client(sim).v1.payment_methods.attach("pm_card_visa", {"customer": newest(sim)[0].id})
    made = begin(sim, payment_behavior="error_if_incomplete", default_payment_method=card.id)
    assert (made.status, made.default_payment_method) == ("active", card.id)
    customer, subscription, _ = newest(sim)
    params: Any = {"customer": customer.id, "items": [{"price": subscription.items[0].price.id}]}
    before = len(subscriptions(sim))
    ids = {client(sim).v1.subscriptions.create(params, {"idempotency_key": "again"}).id for _ in range(2)}
    assert (len(ids), len(subscriptions(sim))) == (1, before + 1)


def test_a_declined_answer_is_repeated_for_its_key(sim: SimulatedStripe) -> None:
    """The card is not tried a second time."""
    customer, subscription, _ = newest(sim)
    sim.engine.save_card(customer, Card(outcomes=["insufficient_funds", "ok"]))
    params: Any = {
        "customer": customer.id,
        "items": [{"price": subscription.items[0].price.id}],
        "payment_behavior": "error_if_incomplete",
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client(sim).v1.subscriptions.create(params, {"idempotency_key": "click"})
    assert client(sim).v1.subscriptions.create(params, {"idempotency_key": "next"}).status == "active"


def test_a_first_payment_that_waits_for_the_customer(sim: SimulatedStripe) -> None:
    """`default_incomplete` charges nothing, and paying the invoice begins it."""
    charged = len(sim.engine.charges(newest(sim)[0]))
    made = begin(sim, payment_behavior="default_incomplete", expand=["latest_invoice"])
    assert (made.status, made.latest_invoice.status) == ("incomplete", "open")
    assert not made.latest_invoice.attempted
    assert len(sim.engine.charges(newest(sim)[0])) == charged
    sim.engine.save_card(newest(sim)[0], Card())
    client(sim).v1.invoices.pay(made.latest_invoice.id)
    assert client(sim).v1.subscriptions.retrieve(made.id).status == "active"


def test_a_declined_first_payment_leaves_it_incomplete(sim: SimulatedStripe) -> None:
    """`allow_incomplete`, which is what happens if nothing is said; other behaviours there are none."""
    assert begin(sim, payment_behavior="allow_incomplete").status == "incomplete"
    with pytest.raises(stripe.InvalidRequestError, match="payment_behavior"):
        begin(sim, payment_behavior="hope")


def test_a_trial_needs_no_payment(sim: SimulatedStripe) -> None:
    """Its end may be given as a moment."""
    end = int((FIRST_ATTEMPT + timedelta(days=3)).timestamp())
    made = begin(sim, payment_behavior="error_if_incomplete", trial_end=end)
    assert (made.status, made.trial_end) == ("trialing", end)


def test_a_subscriptions_draft_can_only_be_voided(sim: SimulatedStripe) -> None:
    """Stripe deletes one-off drafts only: a subscription's is finalised first, and not collected."""
    customer, subscription, _ = newest(sim)
    unpaid = RetryPolicy(delays=(DAY,), at_end="unpaid")
    sim.engine.ledger.put(replace(subscription, policy=unpaid))
    clock = sim.engine.get(TestClock, customer.test_clock or "")
    sim.engine.advance(clock, FIRST_ATTEMPT + timedelta(days=35))
    v1 = client(sim).v1
    (draft,) = v1.invoices.list({"subscription": subscription.id, "status": "draft"}).data
    with pytest.raises(stripe.InvalidRequestError, match="created by subscriptions"):
        v1.invoices.delete(draft.id)
    with pytest.raises(stripe.InvalidRequestError, match="draft"):
        v1.invoices.void_invoice(draft.id)
    v1.invoices.finalize_invoice(draft.id, {"auto_advance": False})
    with pytest.raises(stripe.InvalidRequestError, match="only delete draft"):
        v1.invoices.delete(draft.id)
    assert v1.invoices.void_invoice(draft.id).status == "void"


def test_invoices_are_listed_by_whom_and_what_state(sim: SimulatedStripe) -> None:
    """Every filter narrows the list, newest first."""
    customer, subscription, invoice = newest(sim)
    listed = client(sim).v1.invoices.list
    assert [each.status for each in listed({"customer": customer.id}).data] == ["open", "paid"]
    assert [each.id for each in listed({"subscription": subscription.id, "status": "open"}).data] == [
        invoice.id
    ]
    assert listed({"customer": customer.id, "status": "draft"}).data == []
    other = sim.engine.create_customer("other@example.com")
    assert listed({"customer": other.id, "subscription": subscription.id}).data == []


def test_cards_are_listed_newest_first(sim: SimulatedStripe) -> None:
    """The one that was entered last comes first, also within the same second."""
    v1, customer = client(sim).v1, newest(sim)[0]
    added = [v1.payment_methods.attach("pm_card_visa", {"customer": customer.id}).id for _ in range(2)]
    listed = [each.id for each in v1.customers.payment_methods.list(customer.id).data]
    assert listed[:2] == added[::-1]


def test_defaults_are_set_and_cleared(sim: SimulatedStripe) -> None:
    """The customer's and the subscription's own; an empty value takes a card off its place."""
    v1 = client(sim).v1
    customer, subscription, _ = newest(sim)
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id}).id
    v1.subscriptions.update(subscription.id, {"default_payment_method": card})
    cleared: Any = {"default_payment_method": "", "default_source": ""}
    assert v1.subscriptions.update(subscription.id, cleared).default_payment_method is None
    v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card}})
    assert sim.engine.get(Customer, customer.id).default_payment_method == card
    nothing: Any = {"invoice_settings": {"default_payment_method": ""}}
    v1.customers.update(customer.id, nothing)
    assert sim.engine.get(Customer, customer.id).default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError, match="Sources"):
        v1.subscriptions.update(subscription.id, {"default_source": "src_1"})
