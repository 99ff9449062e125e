"""Checkout: a session is opened over the API, completed once on its page, or expires."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe import Card, SimulatedStripe
from sandbox.stripe.records import Customer, Invoice, Subscription, TestClock
from tests.sandbox.stripe_account import FIRST_ATTEMPT, client, served_failed_renewal

DONE = "https://pay.example.com/l/token/back"
BACK = "https://pay.example.com/l/token"


@pytest.fixture
def sim() -> Iterator[SimulatedStripe]:
    """One customer whose subscription was canceled with an unpaid invoice."""
    with served_failed_renewal() as simulation:
        simulation.engine.cancel(simulation.engine.ledger.all(Subscription)[-1])
        yield simulation


def customer(sim: SimulatedStripe) -> Customer:
    """The one customer."""
    return sim.engine.ledger.all(Customer)[-1]


def opened(sim: SimulatedStripe, **more: Any) -> stripe.checkout.Session:
    """A session for the plan the customer had."""
    price = sim.engine.ledger.all(Subscription)[0].items[0].price
    params: Any = {
        "mode": "subscription",
        "customer": customer(sim).id,
        "line_items": [{"price": price.id, "quantity": 1}],
        "success_url": f"{DONE}?session={{CHECKOUT_SESSION_ID}}",
        "cancel_url": BACK,
        "client_reference_id": "case-1",
        "metadata": {"origin": "portal"},
        "subscription_data": {"metadata": {"seats": "3"}},
    }
    return client(sim).v1.checkout.sessions.create(params | more)


def live(sim: SimulatedStripe) -> list[Subscription]:
    """The customer's subscriptions that have not ended."""
    return [each for each in sim.engine.ledger.of(Subscription, customer(sim).id) if not each.ended]


def test_a_session_is_open_and_says_what_is_bought(sim: SimulatedStripe) -> None:
    """Nothing exists yet but the session; its items are sent when asked for."""
    made = opened(sim)
    assert (made.status, made.payment_status, made.subscription) == ("open", "unpaid", None)
    assert (made.amount_total, made.currency, made.client_reference_id) == (2000, "usd", "case-1")
    assert made.expires_at == made.created + 86_400
    found: Any = client(sim).v1.checkout.sessions.retrieve(made.id, {"expand": ["line_items"]})
    (item,) = found.line_items.data
    assert (item.description, item.amount_total, item.quantity) == ("Team plan", 2000, 1)
    assert client(sim).v1.checkout.sessions.line_items.list(made.id).data[0].id == item.id
    assert "1 \u00d7 Team plan" in httpx.get(made.url or "").text
    assert live(sim) == []


def test_a_paid_session_begins_a_new_subscription(sim: SimulatedStripe) -> None:
    """A new billing cycle from now, its first invoice paid, the card its own; the old invoice stays open."""
    old = sim.engine.ledger.all(Invoice)[-1]
    default = customer(sim).default_payment_method
    made, since = opened(sim), len(sim.engine.events())
    answer = httpx.post(made.url or "", data={"number": "5555555555554444"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{DONE}?session={made.id}")
    done: Any = client(sim).v1.checkout.sessions.retrieve(made.id, {"expand": ["subscription", "invoice"]})
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert (done.subscription.status, done.invoice.status) == ("active", "paid")
    assert done.subscription.metadata["seats"] == "3"
    assert done.subscription.billing_cycle_anchor == int(FIRST_ATTEMPT.timestamp())
    card = client(sim).v1.payment_methods.retrieve(done.subscription.default_payment_method)
    assert card.card
    assert card.card.last4 == "4444"
    assert sim.engine.refresh(customer(sim)).default_payment_method == default
    assert sim.engine.refresh(old).status == "open"
    types = [event.type for event in sim.engine.events()[since:]]
    assert types[0] == "payment_method.attached"
    assert types[-1] == "checkout.session.completed"
    assert {"customer.subscription.created", "invoice.paid"} < set(types)


def test_a_session_is_completed_once(sim: SimulatedStripe) -> None:
    """A second form that is still open buys nothing; the page says what has happened."""
    url = opened(sim).url or ""
    httpx.post(url, data={"number": "4242424242424242"})
    again = httpx.post(url, data={"number": "4242424242424242"})
    assert again.status_code == 200
    assert "You are all done" in again.text
    assert len(live(sim)) == 1


def test_a_declined_card_buys_nothing(sim: SimulatedStripe) -> None:
    """The session stays open for another card."""
    made = opened(sim)
    refused = httpx.post(made.url or "", data={"number": "4000000000009995"})
    assert refused.status_code == 402
    assert "insufficient funds" in refused.text
    assert live(sim) == []
    assert httpx.post(made.url or "", data={"number": "4242424242424242"}).status_code == 303


def test_the_saved_card_pays_or_is_declined(sim: SimulatedStripe) -> None:
    """The customer's default is offered, whatever its issuer then says."""
    made = opened(sim)
    assert "Subscribe with Visa •••• 4242" in httpx.get(made.url or "").text
    assert httpx.post(made.url or "").status_code == 402
    sim.engine.save_card(customer(sim), Card(last4="1111"))
    assert httpx.post(made.url or "").status_code == 303
    assert [each.status for each in live(sim)] == ["active"]


@pytest.mark.parametrize("number", ["4000002500003155", "4000002760003184"])
def test_the_banks_question_comes_before_the_subscription(sim: SimulatedStripe, number: str) -> None:
    """Not confirmed, nothing is bought; confirmed, the first charge is an authenticated one."""
    url = opened(sim).url or ""
    with httpx.Client(follow_redirects=True) as browser:
        asked = browser.post(url, data={"number": number})
        assert "A payment of <strong>$20.00</strong>" in asked.text
        assert browser.post(str(asked.url), data={"answer": "fail"}).status_code == 402
        assert live(sim) == []
        asked = browser.post(url, data={"number": number})
    assert httpx.post(str(asked.url), data={"answer": "complete"}).status_code == 303
    assert [each.status for each in live(sim)] == ["active"]
    assert sim.engine.charges(customer(sim))[-1].authenticated
    assert "You are all done" in httpx.get(str(asked.url)).text


def test_a_trial_takes_a_card_and_no_money(sim: SimulatedStripe) -> None:
    """The first charge is due when the trial ends."""
    end = int((FIRST_ATTEMPT + timedelta(days=7)).timestamp())
    made = opened(sim, subscription_data={"trial_end": end})
    assert (made.payment_status, made.amount_total) == ("no_payment_required", 0)
    charged = len(sim.engine.charges(customer(sim)))
    httpx.post(made.url or "", data={"number": "5555555555554444"})
    (subscription,) = live(sim)
    assert (subscription.status, subscription.trial_end) == ("trialing", end)
    assert len(sim.engine.charges(customer(sim))) == charged


def test_a_card_is_saved_without_a_purchase(sim: SimulatedStripe) -> None:
    """Setup mode attaches the card, names its setup intent, and makes nothing the default."""
    default = customer(sim).default_payment_method
    made = opened(sim, mode="setup", line_items=[], subscription_data={})
    asked = httpx.post(made.url or "", data={"number": "4000002500003155"})
    assert httpx.post(f"{sim.url}{asked.headers['location']}", data={"answer": "complete"}).is_redirect
    done: Any = client(sim).v1.checkout.sessions.retrieve(made.id, {"expand": ["setup_intent"]})
    assert done.setup_intent.status == "succeeded"
    assert client(sim).v1.setup_intents.retrieve(done.setup_intent.id).payment_method
    assert sim.engine.refresh(customer(sim)).default_payment_method == default
    assert len(client(sim).v1.customers.payment_methods.list(customer(sim).id).data) == 2


def test_a_session_is_expired_on_request(sim: SimulatedStripe) -> None:
    """Its page says so, and it cannot be expired or completed any more."""
    made = opened(sim)
    gone = client(sim).v1.checkout.sessions.expire(made.id)
    assert (gone.status, gone.url) == ("expired", None)
    assert sim.engine.events("checkout.session.expired")
    page = httpx.post(made.url or "", data={"number": "4242424242424242"})
    assert page.status_code == 410
    assert f'href="{BACK}"' in page.text
    with pytest.raises(stripe.InvalidRequestError, match="expired"):
        client(sim).v1.checkout.sessions.expire(made.id)
    assert live(sim) == []


def test_a_session_expires_by_itself(sim: SimulatedStripe) -> None:
    """After a day, or earlier if it was made so; a completed one stays complete."""
    clock = sim.engine.get(TestClock, customer(sim).test_clock or "")
    sold, day = opened(sim), opened(sim)
    hour = opened(sim, expires_at=int((FIRST_ATTEMPT + timedelta(hours=1)).timestamp()))
    httpx.post(sold.url or "", data={"number": "4242424242424242"})
    sim.engine.advance(clock, FIRST_ATTEMPT + timedelta(hours=2))
    sessions = client(sim).v1.checkout.sessions
    assert [sessions.retrieve(each.id).status for each in (hour, day)] == ["expired", "open"]
    sim.engine.advance(sim.engine.refresh(clock), FIRST_ATTEMPT + timedelta(hours=25))
    assert [sessions.retrieve(each.id).status for each in (day, sold)] == ["expired", "complete"]
    with pytest.raises(stripe.InvalidRequestError, match="expires_at"):
        opened(sim, expires_at=int((FIRST_ATTEMPT + timedelta(days=9)).timestamp()))


def test_sessions_are_listed(sim: SimulatedStripe) -> None:
    """By customer, by state, and by the subscription that came of them."""
    first, second = opened(sim), opened(sim)
    httpx.post(first.url or "", data={"number": "4242424242424242"})
    sessions = client(sim).v1.checkout.sessions
    mine = sessions.list({"customer": customer(sim).id})
    assert [each.id for each in mine.data] == [second.id, first.id]
    assert [each.id for each in sessions.list({"status": "open"}).data] == [second.id]
    sold = sessions.list({"subscription": live(sim)[0].id, "customer": customer(sim).id})
    assert [each.id for each in sold.data] == [first.id]


def test_the_same_key_opens_the_same_session(sim: SimulatedStripe) -> None:
    """Two clicks on one button lead to one till."""
    price = sim.engine.ledger.all(Subscription)[0].items[0].price.id
    params: Any = {
        "mode": "subscription",
        "customer": customer(sim).id,
        "line_items": [{"price": price, "quantity": 1}],
        "success_url": DONE,
    }
    sessions = client(sim).v1.checkout.sessions
    made = {sessions.create(params, {"idempotency_key": "click"}).id for _ in range(2)}
    assert len(made) == 1
    assert len(sessions.list().data) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "payment"},
        {"line_items": []},
        {"line_items": [{"price": "price_unknown"}]},
        {"customer": "cus_unknown"},
        {"success_url": "/relative"},
        {"subscription_data": {"trial_end": 1}},
    ],
)
def test_what_no_session_is_opened_for(sim: SimulatedStripe, wrong: dict[str, Any]) -> None:
    """A mode that is not simulated, nothing to buy, nobody to buy it, nowhere to go, a trial in the past."""
    with pytest.raises(stripe.InvalidRequestError):
        opened(sim, **wrong)
