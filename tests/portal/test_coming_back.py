"""A customer whose subscription has ended, or is unpaid, comes back by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from dunning.policy import Policy
from sandbox.inbox import Inbox
from sandbox.stripe import Card, Fault, custom_schedule
from sandbox.stripe.records import CheckoutSession, Invoice, Subscription
from tests.console.worlds import world_on
from tests.portal.conftest import PAGES, LinkTo
from tests.portal.test_paying import words
from tests.portal.visits import click, forms, look, visit
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import SENDER, World

NEW_CARD = {"number": "4242424242424242"}


def ended(world: World) -> Story:
    """Nobody paid, and Stripe canceled on day 15."""
    return subscriber(world, *["insufficient_funds"] * 9).until(16)


def live(story: Story) -> list[Subscription]:
    """The customer's subscriptions at Stripe that have not ended."""
    ledger = story.world.stripe.engine.ledger
    return [each for each in ledger.of(Subscription, story.customer.id) if not each.ended]


def sessions(world: World) -> list[CheckoutSession]:
    """Every Checkout session there ever was, oldest first."""
    return world.stripe.engine.ledger.all(CheckoutSession)


def buy(world: World, url: str, **fields: str) -> httpx.Response:
    """Pay on Stripe's page, and have everything done that follows from it."""
    answer = httpx.post(url, data=NEW_CARD | fields)
    world.settle()
    return answer


def test_the_same_plan_is_bought_again(world: World, link_to: LinkTo) -> None:
    """A new subscription with a period from now; access follows, and the page says that it runs."""
    story = ended(world)
    token = link_to(story).token
    assert "Your previous invoice stays open. Starting again does not charge it." in words(look(world, token))
    leaving = click(world, token, "come_back")
    assert leaving.status_code == 303
    back = buy(world, leaving.headers["location"])
    assert back.headers["location"] == f"{PAGES.base}/p/{token}?back=1"
    (new,) = live(story)
    assert (new.status, new.items[0].price) == ("active", story.subscription.items[0].price)
    assert new.anchor == int(story.now.timestamp())
    assert story.level() == ("full", "good_standing")
    page = look(world, token, "?back=1")
    assert "You have another subscription that is running" in words(page)
    assert "come_back" not in forms(page.text)
    assert "return.asked" in [row.kind for row in story.journal()]


def test_the_old_invoice_stays_open_unless_the_policy_says_otherwise(world: World, link_to: LinkTo) -> None:
    """Nobody charges it, and the page goes on telling of it."""
    story = ended(world)
    token = link_to(story).token
    buy(world, click(world, token, "come_back").headers["location"])
    assert story.invoice.status == "open"
    assert "Not paid $19.00" in words(look(world, token))
    assert story.outcome() == "ended"


@pytest.fixture
def forgiving(database_url: str, inbox: Inbox) -> Iterator[World]:
    """A world in which who comes back owes nothing of before."""
    with world_on(database_url, inbox, policy=Policy(unpaid_on_return="void")) as world:
        world.courier = replace(world.courier, sender=replace(SENDER, pages=PAGES))
        yield world


def test_old_invoices_are_voided_once_the_new_one_is_paid(forgiving: World, link_to: LinkTo) -> None:
    """Not by the click, nor by a declined card: only by money."""
    story = ended(forgiving)
    token = link_to(story).token
    assert "Your previous invoice is cancelled once you have started again." in words(look(forgiving, token))
    url = click(forgiving, token, "come_back").headers["location"]
    assert buy(forgiving, url, number="4000000000000002").status_code == 402
    assert story.invoice.status == "open"
    buy(forgiving, url)
    assert story.invoice.status == "void"
    assert story.outcome() == "voided"
    assert story.level() == ("full", "good_standing")
    assert [step for step, status in forgiving.effects() if step.startswith("end:")] == [
        f"end:{story.invoice.id}:void"
    ]
    assert "There is nothing to pay" in words(look(forgiving, token))


def test_drafts_are_voided_as_well(forgiving: World, link_to: LinkTo) -> None:
    """An unpaid subscription that somebody cancels in the end has left some."""
    story = subscriber(forgiving, *["insufficient_funds"] * 9, retries=custom_schedule(3, at_end="unpaid"))
    story.until(35)
    engine = forgiving.stripe.engine
    engine.cancel(story.subscription)
    forgiving.settle()
    first = next(each for each in engine.invoices(story.subscription) if each.status == "open")
    old = [each.id for each in engine.invoices(story.subscription) if each.status in ("open", "draft")]
    assert len(old) == 2
    url = click(forgiving, _link_of(forgiving, story, first), "come_back").headers["location"]
    buy(forgiving, url)
    assert [engine.get(Invoice, each).status for each in old] == ["void", "void"]


def _link_of(world: World, story: Story, invoice: Invoice) -> str:
    """A link to the case of an invoice that is not the newest."""
    from db import links
    from db.links import LinkRow
    from db.lookups import find_customers

    minted = PAGES.links.mint()

    async def add() -> None:
        async with world.services.engine.begin() as connection:
            [found] = await find_customers(connection, story.customer.id)
            await links.add(connection, LinkRow(minted.digest, found.id, invoice.id, story.now, "a test"))

    world.run(add())
    return minted.token


def test_another_subscription_that_runs_is_not_voided_for(forgiving: World, link_to: LinkTo) -> None:
    """Whoever has bought elsewhere owes what they owed."""
    story = ended(forgiving)
    engine = forgiving.stripe.engine
    engine.save_card(story.customer, Card())
    engine.create_subscription(story.customer, engine.create_price(500))
    forgiving.settle()
    assert story.invoice.status == "open"
    assert "You have another subscription that is running" in words(look(forgiving, link_to(story).token))


def test_two_clicks_lead_to_one_session(world: World, link_to: LinkTo) -> None:
    """At once and one after the other, from one page or from two of the same link."""
    story = ended(world)
    token = link_to(story).token

    async def often(client: httpx.AsyncClient) -> list[httpx.Response]:
        pages = [forms((await client.get(f"/p/{token}")).text)["come_back"] for _ in range(2)]
        both = await asyncio.gather(*[client.post(f"/p/{token}/come_back", data=form) for form in pages])
        return [*both, await client.post(f"/p/{token}/come_back", data=pages[0])]

    answers = visit(world, often)
    assert {answer.headers["location"] for answer in answers} == {sessions(world)[0].url}
    assert len(sessions(world)) == 1


def test_an_earlier_session_cannot_be_paid_any_more(world: World, link_to: LinkTo) -> None:
    """Begun from another link, it is closed before the next one is opened: there is one to pay at most."""
    story = ended(world)
    first = click(world, link_to(story).token, "come_back").headers["location"]
    second = click(world, link_to(story).token, "come_back").headers["location"]
    assert buy(world, first).status_code == 410
    assert buy(world, second).status_code == 303
    assert len(live(story)) == 1


def test_a_session_that_has_run_out_is_followed_by_another(world: World, link_to: LinkTo) -> None:
    """After a day, or when it was closed at Stripe."""
    story = ended(world)
    token = link_to(story).token
    first = click(world, token, "come_back").headers["location"]
    story.until(17.5)
    second = click(world, token, "come_back").headers["location"]
    assert first != second
    assert buy(world, second).status_code == 303


def test_who_has_a_subscription_already_starts_nothing(world: World, link_to: LinkTo) -> None:
    """Stripe is asked afresh: its events may be late. The page that answers knows it then."""
    story = ended(world)
    token = link_to(story).token
    engine = world.stripe.engine

    async def late(client: httpx.AsyncClient) -> httpx.Response:
        form = forms((await client.get(f"/p/{token}")).text)["come_back"]
        engine.save_card(story.customer, Card())
        engine.create_subscription(story.customer, story.subscription.items[0].price)
        return await client.post(f"/p/{token}/come_back", data=form)

    answer = visit(world, late)
    assert "You have another subscription already, so nothing was started." in words(answer)
    assert "You have another subscription that is running" in words(answer)
    assert sessions(world) == []
    assert len(live(story)) == 1


def test_a_session_paid_in_another_window(world: World, link_to: LinkTo) -> None:
    """A form that was open all the time starts no second subscription."""
    story = ended(world)
    token = link_to(story).token

    async def both(client: httpx.AsyncClient) -> httpx.Response:
        form = forms((await client.get(f"/p/{token}")).text)["come_back"]
        url = (await client.post(f"/p/{token}/come_back", data=form)).headers["location"]
        async with httpx.AsyncClient() as till:
            assert (await till.post(url, data=NEW_CARD)).status_code == 303
        return await client.post(f"/p/{token}/come_back", data=form)

    assert "You have another subscription already" in words(visit(world, both))
    assert len(live(story)) == 1


def test_what_is_bought_twice_in_spite_of_all_is_reported(world: World, link_to: LinkTo) -> None:
    """In the merchant's application first, and then at the till that was still open: no page can know."""
    story = ended(world)
    url = click(world, link_to(story).token, "come_back").headers["location"]
    engine = world.stripe.engine
    engine.save_card(story.customer, Card())
    engine.create_subscription(story.customer, story.subscription.items[0].price)
    buy(world, url)
    assert len(live(story)) == 2
    assert [why for _, why in story.calls()][-1] == "bought_twice"


def test_an_unpaid_subscription_is_paid_for_and_goes_on(world: World, link_to: LinkTo) -> None:
    """Nothing new is bought: its newest invoice is paid on Stripe's page."""
    story = subscriber(world, *["insufficient_funds"] * 9, retries=custom_schedule(3, at_end="unpaid"))
    story.until(5)
    token = link_to(story).token
    assert "Your subscription is on hold." in words(look(world, token))
    leaving = click(world, token, "come_back")
    assert leaving.headers["location"] == story.invoice.hosted_url
    buy(world, leaving.headers["location"])
    assert (story.status, story.level()) == ("active", ("full", "good_standing"))
    assert "Thank you, your payment has arrived" in words(look(world, token))
    assert sessions(world) == []


def test_the_newest_invoice_of_an_unpaid_subscription_counts(world: World, link_to: LinkTo) -> None:
    """Stripe has left it as a draft: it is finalised, charged to nobody, and brings the subscription back."""
    story = subscriber(world, *["insufficient_funds"] * 9, retries=custom_schedule(3, at_end="unpaid"))
    story.until(35)
    engine = world.stripe.engine
    first, newest = engine.invoices(story.subscription)[-2:]
    assert (first.status, newest.status) == ("open", "draft")
    charged = len(story.charges)
    leaving = click(world, _link_of(world, story, first), "come_back")
    assert leaving.headers["location"] == engine.refresh(newest).hosted_url
    assert len(story.charges) == charged
    buy(world, leaving.headers["location"])
    assert story.status == "active"


def test_what_was_paid_meanwhile_is_not_paid_again(world: World, link_to: LinkTo) -> None:
    """Stripe knows it before its events have reached us, and the page says so at once."""
    story = subscriber(world, *["insufficient_funds"] * 9, retries=custom_schedule(3, at_end="unpaid"))
    story.until(5)
    token = link_to(story).token

    async def late(client: httpx.AsyncClient) -> httpx.Response:
        form = forms((await client.get(f"/p/{token}")).text)["come_back"]
        world.stripe.engine.pay_invoice(story.invoice, card=Card())
        return await client.post(f"/p/{token}/come_back", data=form)

    answer = visit(world, late)
    assert answer.status_code == 200
    assert "on hold" not in words(answer)
    world.settle()
    assert "Thank you, your payment has arrived" in words(look(world, token))


@pytest.mark.parametrize("wrote_off", [True, False])
def test_who_owes_nothing_may_come_back_too(world: World, link_to: LinkTo, wrote_off: bool) -> None:
    """The merchant has written the invoice off, or voided it, after the end."""
    story = ended(world)
    engine = world.stripe.engine
    (engine.write_off if wrote_off else engine.void_invoice)(story.invoice)
    world.settle()
    token = link_to(story).token
    assert "you are welcome to come back" in words(look(world, token))
    buy(world, click(world, token, "come_back").headers["location"])
    assert story.level() == ("full", "good_standing")


def test_a_plan_that_is_not_sold_any_more(world: World, link_to: LinkTo) -> None:
    """Stripe refuses it, and the page leads to the plans there are."""
    story = ended(world)
    world.stripe.faults.add(Fault(match="POST /v1/checkout/sessions", status=400))
    answer = click(world, link_to(story).token, "come_back")
    assert "Your plan cannot be started again here." in words(answer)
    assert "https://northwind.example/billing" in answer.text


def test_stripe_is_away(world: World, link_to: LinkTo) -> None:
    """Nothing is started, and the next click works."""
    story = ended(world)
    token = link_to(story).token
    world.stripe.faults.add(Fault(match="/v1/", times=2, status=503))
    assert "cannot be reached at the moment" in words(click(world, token, "come_back"))
    assert sessions(world) == []
    assert click(world, token, "come_back").status_code == 303
