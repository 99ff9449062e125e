"""The customer portal: sessions with a flow, the page that saves a card, and where it leads afterwards."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe import SimulatedStripe
from sandbox.stripe.records import PortalSession, TestClock
from tests.sandbox.stripe_account import FIRST_ATTEMPT, client, newest, served_failed_renewal

BACK = "https://pay.example.com/l/token"
DONE = "https://pay.example.com/l/token/returned"


@pytest.fixture
def sim() -> Iterator[SimulatedStripe]:
    """One customer whose renewal failed for lack of funds."""
    with served_failed_renewal() as simulation:
        yield simulation


def session(sim: SimulatedStripe, **more: Any) -> stripe.billing_portal.Session:
    """A session whose flow is to enter another card, and to come back."""
    flow: Any = {
        "type": "payment_method_update",
        "after_completion": {"type": "redirect", "redirect": {"return_url": DONE}},
    }
    params: Any = {"customer": newest(sim)[0].id, "flow_data": flow, "return_url": BACK, "locale": "de"}
    return client(sim).v1.billing_portal.sessions.create(params | more)


def seen(sim: SimulatedStripe, since: int) -> list[str]:
    """Types of the events after the first `since`."""
    return [event.type for event in sim.engine.events()[since:]]


def test_a_session_says_what_it_is_for(sim: SimulatedStripe) -> None:
    """The flow comes back with every member, the unused ones null."""
    made: Any = session(sim, configuration="bpc_mine")
    assert made.flow.type == "payment_method_update"
    assert made.flow.after_completion.redirect.return_url == DONE
    assert made.flow.after_completion.hosted_confirmation is None
    assert made.flow.subscription_cancel is None
    assert (made.return_url, made.locale, made.configuration) == (BACK, "de", "bpc_mine")
    assert made.url.startswith(sim.url)


@pytest.mark.parametrize(
    "wrong",
    [
        {"flow_data": {"type": "subscription_cancel"}},
        {"flow_data": {"type": "payment_method_update", "after_completion": {"type": "redirect"}}},
        {"flow_data": {"type": "payment_method_update", "after_completion": {"type": "elsewhere"}}},
        {"return_url": "/relative"},
        {"customer": "cus_unknown"},
    ],
)
def test_what_no_session_is_made_for(sim: SimulatedStripe, wrong: dict[str, Any]) -> None:
    """Other flows, a redirect to nowhere, an address that is none, a customer nobody knows."""
    with pytest.raises(stripe.InvalidRequestError):
        session(sim, **wrong)


def test_a_new_card_becomes_the_customers_default(sim: SimulatedStripe) -> None:
    """Stripe's own flow leaves the subscription's card alone, retries nothing, and leads where it is to."""
    customer, subscription, invoice = newest(sim)
    url, since = session(sim).url, len(sim.engine.events())
    assert "Visa •••• 4242" in httpx.get(url).text
    saved = httpx.post(url, data={"number": "5555555555554444", "expiry": "03 / 32", "cvc": "123"})
    assert (saved.status_code, saved.headers["location"]) == (303, DONE)
    assert seen(sim, since) == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
        "customer.updated",
    ]
    found: Any = client(sim).v1.customers.retrieve(
        customer.id, {"expand": ["invoice_settings.default_payment_method"]}
    )
    card = found.invoice_settings.default_payment_method.card
    assert (card.brand, card.last4, card.exp_month, card.exp_year) == ("mastercard", "4444", 3, 2032)
    assert sim.engine.refresh(subscription).default_payment_method is None
    assert sim.engine.refresh(invoice).status == "open"


def test_a_card_that_is_refused_at_setup(sim: SimulatedStripe) -> None:
    """The page says why, nothing is attached, and the setup intent keeps the reason."""
    customer = newest(sim)[0]
    url, since = session(sim).url, len(sim.engine.events())
    refused = httpx.post(url, data={"number": "4000000000009995"})
    assert refused.status_code == 402
    assert "insufficient funds" in refused.text
    assert seen(sim, since) == ["setup_intent.created", "setup_intent.setup_failed"]
    event: Any = client(sim).v1.events.list({"type": "setup_intent.setup_failed"}).data[0]
    assert event.data.object.last_setup_error.decline_code == "insufficient_funds"
    assert event.data.object.payment_method is None
    assert len(client(sim).v1.customers.payment_methods.list(customer.id).data) == 1


def test_a_card_that_is_saved_and_then_declined(sim: SimulatedStripe) -> None:
    """Stripe's "decline after attaching": the page is content, the charge is not."""
    assert httpx.post(session(sim).url, data={"number": "4000000000000341"}).status_code == 303
    with pytest.raises(stripe.CardError):
        client(sim).v1.invoices.pay(newest(sim)[2].id)


def test_a_card_whose_bank_asks(sim: SimulatedStripe) -> None:
    """Nothing is attached before the answer; once confirmed, later charges need none."""
    customer, _, invoice = newest(sim)
    url = session(sim).url
    with httpx.Client(follow_redirects=True) as browser:
        asked = browser.post(url, data={"number": "4000002500003155"})
        assert "is to be saved" in asked.text
        assert len(client(sim).v1.customers.payment_methods.list(customer.id).data) == 1
        failed = browser.post(str(asked.url), data={"answer": "fail"})
        assert failed.status_code == 402
        assert f'action="/hosted/portal/{url.rpartition("/")[2]}"' in failed.text
        asked = browser.post(url, data={"number": "4000002500003155"})
    confirmed = httpx.post(str(asked.url), data={"answer": "complete"})
    assert confirmed.headers["location"] == DONE
    assert client(sim).v1.invoices.pay(invoice.id).status == "paid"


def test_a_card_whose_bank_asks_every_time(sim: SimulatedStripe) -> None:
    """Saved with the customer there, it still cannot be charged without them."""
    asked = httpx.post(session(sim).url, data={"number": "4000002760003184"})
    httpx.post(f"{sim.url}{asked.headers['location']}", data={"answer": "complete"})
    with pytest.raises(stripe.CardError) as refused:
        client(sim).v1.invoices.pay(newest(sim)[2].id)
    assert refused.value.code == "authentication_required"


def test_without_a_redirect_the_page_itself_says_what_was_saved(sim: SimulatedStripe) -> None:
    """The way back is a link."""
    made = session(sim, flow_data={"type": "payment_method_update"})
    with httpx.Client(follow_redirects=True) as browser:
        text = browser.post(made.url, data={"number": "5555555555554444"}).text
    assert "Mastercard •••• 4444 is charged from now on" in text
    assert f'href="{BACK}"' in text


def test_leaving_without_a_card(sim: SimulatedStripe) -> None:
    """The page leads back to where the customer came from, and nothing has happened."""
    url, since = session(sim).url, len(sim.engine.events())
    assert f'href="{BACK}">Go back without saving' in httpx.get(url).text
    assert seen(sim, since) == []


def test_a_session_is_short_lived(sim: SimulatedStripe) -> None:
    """Five minutes until it is opened, and an hour from one step to the next."""
    clock = sim.engine.get(TestClock, newest(sim)[0].test_clock or "")
    opened, left = session(sim).url, session(sim).url
    assert httpx.get(opened).status_code == 200
    sim.engine.advance(clock, FIRST_ATTEMPT + timedelta(minutes=50))
    late = httpx.post(left, data={"number": "4242424242424242"})
    assert late.status_code == 410
    assert BACK in late.text
    assert httpx.get(opened).status_code == 200
    sim.engine.advance(sim.engine.refresh(clock), FIRST_ATTEMPT + timedelta(minutes=100))
    assert httpx.get(opened).status_code == 200
    sim.engine.advance(sim.engine.refresh(clock), FIRST_ATTEMPT + timedelta(minutes=170))
    assert httpx.get(opened).status_code == 410
    assert httpx.get(f"{opened}x").status_code == 404


def test_who_has_ended_may_still_change_the_card(sim: SimulatedStripe) -> None:
    """A canceled subscription closes no door; only a deleted customer has none."""
    customer, subscription, _ = newest(sim)
    sim.engine.cancel(subscription)
    assert httpx.post(session(sim).url, data={"number": "5555555555554444"}).status_code == 303
    sim.engine.delete_customer(customer)
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        session(sim)


def test_a_challenge_nobody_asked_for_leads_back(sim: SimulatedStripe) -> None:
    """Opened or answered out of turn, it changes nothing."""
    url = session(sim).url
    assert httpx.get(f"{url}/challenge").status_code == 303
    assert httpx.post(f"{url}/challenge", data={"answer": "complete"}).status_code == 303
    assert sim.engine.get(PortalSession, url.rpartition("/")[2]).setup is None
