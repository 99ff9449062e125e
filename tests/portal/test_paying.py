"""What a customer can do about a failed payment, to its end at the simulated Stripe."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from stripe import StripeClient

from sandbox.stripe import Card
from sandbox.stripe.api.faults import Fault
from sandbox.stripe.records import Customer, Subscription
from tests.portal.conftest import LinkTo
from tests.portal.visits import click, forms, look, visit
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World
from tests.worker.plain import plain


def words(answer: httpx.Response) -> str:
    """What a page says, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split()).replace("\N{NO-BREAK SPACE}", " ")


def charges_asked_for(world: World) -> list[str]:
    """The idempotency keys of the requests to pay an invoice."""
    return [each.idempotency_key or "" for each in world.stripe.requests if each.path.endswith("/pay")]


def test_the_payment_is_tried_again_and_arrives(world: World, link_to: LinkTo) -> None:
    """The page that answers is the thank-you, and access is whole again."""
    story = subscriber(world, "insufficient_funds", "ok").until(1)
    answer = click(world, link_to(story).token, "retry")
    assert "Thank you, your payment has arrived" in words(answer)
    assert story.level() == ("full", "good_standing")
    assert [what for _, what in story.mails()] == ["payment_failed 1", "recovered"]


def test_what_has_to_be_asked_for_is_not_offered_where_nobody_can_be_asked(
    world: World, link_to: LinkTo
) -> None:
    """Another billing system can be, so that the page has such actions; this customer's cannot."""
    story = subscriber(world, "insufficient_funds").until(1)
    token = link_to(story).token
    assert {"retry", "method"} <= forms(look(world, token).text).keys()
    world.services = replace(world.services, gateways={"other": world.services.gateways["stripe"]})
    assert not {"retry", "method"} & forms(look(world, token).text).keys()


def test_the_bank_declines_again(world: World, link_to: LinkTo) -> None:
    """Said at once, with the reason of this try, and no mail says it a second time."""
    story = subscriber(world, "generic_decline", "insufficient_funds").until(1)
    token = link_to(story).token
    answer = click(world, token, "retry")
    assert "We have just tried again, and the payment was declined." in words(answer)
    assert len(story.charges) == 3
    assert [what for _, what in story.mails()] == ["payment_failed 1"]
    assert story.calls() == []


def test_two_clicks_of_one_form_are_one_charge(world: World, link_to: LinkTo) -> None:
    """At the same moment, and once more an hour later by the browser's button to go back."""
    story = subscriber(world, *["generic_decline"] * 9).until(0)
    token = link_to(story).token

    async def twice(client: httpx.AsyncClient) -> list[httpx.Response]:
        form = forms((await client.get(f"/p/{token}")).text)["retry"]
        both = await asyncio.gather(*[client.post(f"/p/{token}/retry", data=form) for _ in range(2)])
        return [*both, await client.post(f"/p/{token}/retry", data=form)]

    answers = visit(world, twice)
    assert ["We have just tried again" in words(each) for each in answers] == [True] * 3
    assert len(charges_asked_for(world)) == 1


async def until_somebody_waits(world: World) -> None:
    """Return when what came of a charge is looked for in the tables."""
    looked = asyncio.Event()

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("SELECT outbox.status, outbox.last_error"):
            looked.set()

    engine = world.services.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        await looked.wait()
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_two_forms_at_once_are_one_charge(world: World, link_to: LinkTo) -> None:
    """Whoever opened the page twice waits for the charge that is being made."""
    story = subscriber(world, *["generic_decline"] * 9).until(0)
    token = link_to(story).token

    async def two(client: httpx.AsyncClient) -> list[httpx.Response]:
        pages = [await client.get(f"/p/{token}") for _ in range(2)]
        sent = [client.post(f"/p/{token}/retry", data=forms(page.text)["retry"]) for page in pages]
        # Stripe answers nobody before the second one waits; later it would be a charge of its own.
        with world.stripe.engine.ledger.lock:
            both = asyncio.gather(*sent)
            await until_somebody_waits(world)
        return await both

    assert ["We have just tried again" in words(each) for each in visit(world, two)] == [True] * 2
    assert len(charges_asked_for(world)) == 1


def test_three_tries_a_day_are_enough_and_five_for_an_invoice(world: World, link_to: LinkTo) -> None:
    """Then the page says why and offers another way; the next day two more are left."""
    story = subscriber(world, *["generic_decline"] * 20).until(0)
    token = link_to(story).token
    for _ in range(3):
        page = click(world, token, "retry")
    assert "You have tried this several times today." in words(page)
    assert "retry" not in forms(page.text)
    story.until(1.1)
    click(world, token, "retry")
    page = click(world, token, "retry")
    assert "has been tried so often" in words(page)
    assert set(forms(page.text)) == {"method", "payer", "promise"}
    assert len(charges_asked_for(world)) == 5


def test_a_hard_decline_is_not_tried_again_on_the_same_card(world: World, link_to: LinkTo) -> None:
    """Not even by a form that somebody makes up."""
    story = subscriber(world, *["stolen_card"] * 9).until(0)
    token = link_to(story).token
    page = look(world, token)
    assert "Your bank will not accept this payment method any more" in words(page)
    assert "retry" not in forms(page.text)

    async def made_up(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(f"/p/{token}/retry", data=forms(page.text)["method"])

    assert visit(world, made_up).status_code == 200
    assert charges_asked_for(world) == []


def changed(world: World, story: Story, card: Card) -> None:
    """The customer enters a card on Stripe's page and comes back."""
    world.stripe.engine.save_card(world.stripe.engine.refresh(story.customer), card)


def test_a_new_card_is_put_where_the_old_one_failed_and_pays(world: World, link_to: LinkTo) -> None:
    """Stripe's page sets the customer's default, and the subscription's own goes before it."""
    story = subscriber(world, *["expired_card"] * 9).until(1)
    engine = world.stripe.engine
    stripe = StripeClient(world.stripe.api_key, base_addresses={"api": world.stripe.url})
    stripe.v1.subscriptions.update(story.subscription.id, {"default_payment_method": story.card.id})
    world.settle()
    token = link_to(story).token
    leaving = click(world, token, "method")
    assert leaving.status_code == 303
    assert leaving.headers["location"].startswith(world.stripe.url)
    changed(world, story, Card(last4="1881"))
    assert "settle" in forms(look(world, token, "?back=1").text)
    answer = click(world, token, "settle", at="?back=1")
    assert "Thank you, your payment has arrived" in words(answer)
    assert "Charged in future Visa •••• 1881" in words(answer)
    own = engine.get(Subscription, story.subscription.id).default_payment_method
    assert own == engine.get(Customer, story.customer.id).default_payment_method
    assert story.level() == ("full", "good_standing")


def test_a_new_card_may_be_declined_too(world: World, link_to: LinkTo) -> None:
    """That is told at once, and another one can be given."""
    story = subscriber(world, *["expired_card"] * 9).until(1)
    token = link_to(story).token
    changed(world, story, Card(last4="9995", outcomes=("insufficient_funds",)))
    answer = click(world, token, "settle", at="?back=1")
    assert "Your new payment method is saved, but the payment with it was declined." in words(answer)
    assert "method" in forms(answer.text)


def test_who_comes_back_without_a_new_card_is_not_charged(world: World, link_to: LinkTo) -> None:
    """The old one would only be declined again."""
    story = subscriber(world, *["generic_decline"] * 9).until(1)
    answer = click(world, link_to(story).token, "settle", at="?back=1")
    assert "We have found no new payment method, so nothing was charged." in words(answer)
    assert charges_asked_for(world) == []


@pytest.mark.parametrize("outcome", ["authentication_required", "requires_action"])
def test_the_bank_is_asked_on_stripes_page(world: World, link_to: LinkTo, outcome: str) -> None:
    """By an address that is fetched on the click."""
    story = subscriber(world, *[outcome] * 9).until(0.1)
    page = look(world, link_to(story).token)
    assert "retry" not in forms(page.text)
    leaving = click(world, link_to(story).token, "confirm")
    assert leaving.status_code == 303
    assert leaving.headers["location"] == story.invoice.hosted_url


def test_a_retry_that_the_bank_wants_confirmed_leads_there(world: World, link_to: LinkTo) -> None:
    """The customer is there: nobody has to wait for a mail."""
    story = subscriber(world, "generic_decline", "requires_action").until(1)
    leaving = click(world, link_to(story).token, "retry")
    assert leaving.status_code == 303
    assert leaving.headers["location"] == story.invoice.hosted_url


def test_a_promise_moves_mails_and_the_end(world: World, link_to: LinkTo) -> None:
    """One at a time, and on a day that the policy allows."""
    story = subscriber(world, *["insufficient_funds"] * 9).until(1)
    token = link_to(story).token
    day = (story.now + timedelta(days=8)).date()
    before = story.until_when()
    answer = click(world, token, "promise", day=day.isoformat())
    assert f"We wait for your payment until {day:%B} {day.day}, {day.year}." in words(answer)
    assert "promise" not in forms(answer.text)
    after = story.until_when()
    assert before is not None
    assert after is not None
    assert after > before
    story.until(8)
    assert [what for _, what in story.mails()] == ["payment_failed 1"]


@pytest.mark.parametrize("day", ["", "tomorrow", "2026-02-02", "2026-02-20", "9999-12-31", "2026-02-30"])
def test_no_other_day_can_be_promised(world: World, link_to: LinkTo, day: str) -> None:
    """Neither today nor beyond the policy's reach, nor what is no day."""
    story = subscriber(world, *["insufficient_funds"] * 9).until(0)
    answer = click(world, link_to(story).token, "promise", day=day)
    assert "Please choose a day from tomorrow to February 12, 2026." in words(answer)
    assert "instruction.promise" not in [row.kind for row in story.journal()]


def test_stripe_is_away(world: World, link_to: LinkTo) -> None:
    """The click is not lost and not repeated: a worker asks again with the same key, until it knows."""
    story = subscriber(world, "insufficient_funds", "ok").until(1)
    token = link_to(story).token
    world.stripe.faults.add(Fault(match="POST .*(pay|sessions)$", times=4, status=503, after=True))
    leaving = click(world, token, "method")
    answer = click(world, token, "retry")
    world.stripe.faults.clear()
    assert "We do not know yet what came of it" in words(answer)
    assert "cannot be reached at the moment" in words(leaving)
    world.machine_time(timedelta(minutes=1))
    assert story.level() == ("full", "good_standing")
    assert len(set(charges_asked_for(world))) == 1


def test_looking_asks_stripe_for_nothing(world: World, link_to: LinkTo) -> None:
    """However often, and on the way back too."""
    story = subscriber(world, *["generic_decline"] * 9).until(1)
    token = link_to(story).token
    before = len(world.stripe.requests)
    for at in ("", "?back=1", "?back=1&back=2"):
        look(world, token, at)
    assert len(world.stripe.requests) == before


def test_what_is_paid_meanwhile_is_not_charged(world: World, link_to: LinkTo) -> None:
    """The events of it are late, so that Stripe alone knows."""
    story = subscriber(world, *["generic_decline"] * 9).until(1)
    token = link_to(story).token
    world.stripe.engine.pay_invoice(story.invoice, card=Card())
    answer = click(world, token, "retry")
    assert len([each for each in story.charges if each.paid]) == 2
    assert answer.status_code == 200
    assert "Thank you, your payment has arrived" in words(look(world, token))


def test_a_call_that_is_due_meanwhile_is_left_to_a_worker(world: World, link_to: LinkTo) -> None:
    """The page cannot reach the team: a call that it took for done would reach nobody."""
    world.services = replace(world.services, policy=plain(unresolved_after="7d"))
    story = subscriber(world, *["generic_decline"] * 20, wall=True).until(6.9)
    token = link_to(story).token
    world.now += timedelta(hours=6)
    click(world, token, "retry")
    world.tick()
    assert [why for _, why in story.calls()] == ["unresolved"]
    assert {status for step, status in world.effects() if step.startswith("escalation")} == {"sent"}
