"""Mails that lead to our own page: the link, what is kept of it, and what the customer asks for there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from db import models
from db.outbox import NewEffect, add
from dunning.steps import FRESH_LINK, Kind
from emails.delivery import Deferred
from portal.links import Links, Pages
from sandbox.stripe import Card
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import SENDER, World
from tests.worker.mailing import mailing
from tests.worker.transports import Scripted
from worker.queues import MAIL

LINKS = Links(["a-secret-of-the-tests-which-is-long-enough"])
PAGES = Pages("https://pay.merchant.example", LINKS)
# In days: noon in New York, where the customer lives.
NOONS = [0, *(day + 0.3 for day in range(7))]
TOKEN = re.compile(r"https://pay\.merchant\.example/p/([\w-]{22}\.[\w-]{43})")


def with_pages(world: World) -> World:
    """The same world, whose mails lead to pages of our own."""
    world.courier = replace(world.courier, sender=replace(SENDER, pages=PAGES))
    return world


def token(story: Story, number: int = -1) -> str:
    """The one link that the text of a mail holds."""
    (found,) = set(TOKEN.findall(story.text(number)))
    return found


def stored(world: World) -> list[Any]:
    return world.rows(models.outbox, models.outbox.c.step, models.outbox.c.status, models.outbox.c.rendered)


def test_a_mail_leads_to_the_page_of_its_case(world: World) -> None:
    """Each mail has a link of its own, and none an address of Stripe's."""
    story = subscriber(with_pages(world), *["insufficient_funds"] * 4).until(6.3, stops=NOONS)
    assert [name for _, name in story.mails()] == ["payment_failed 1", "payment_failed 2"]
    rows = {row.digest: row for row in world.rows(models.links)}
    for number in (0, 1):
        link = rows[LINKS.read(token(story, number))]
        assert link.case == story.invoice.id
        assert link.made_by.startswith("payment_failed:")
        assert world.stripe.url not in story.text(number)
    assert len(rows) == 2


def test_a_receipt_needs_no_link(world: World) -> None:
    """There is nothing left to do."""
    story = subscriber(with_pages(world), "insufficient_funds").until(1.3, stops=NOONS)
    story.pay(Card())
    assert story.mails()[-1][1].startswith("recovered")
    assert len(world.rows(models.links)) == 1
    assert "pay.merchant.example" not in story.text()


def test_a_subscription_that_has_ended_has_a_page_too(world: World) -> None:
    """It is where one comes back."""
    story = subscriber(with_pages(world), *["insufficient_funds"] * 9).until(16)
    assert story.mails()[-1][1].startswith("access_ended")
    assert LINKS.read(token(story))


def test_a_mail_that_is_done_with_keeps_no_link(world: World) -> None:
    """Whoever reads the database, or a copy of it, can open no page."""
    story = subscriber(with_pages(world), *["insufficient_funds"] * 4).until(6.3, stops=NOONS)
    assert LINKS.read(token(story))
    for row in stored(world):
        assert row.status == "sent"
        assert not TOKEN.search(str(row.rendered))
        assert "https://pay.merchant.example/p/..." in row.rendered["text"]


def test_a_mail_that_waits_is_sent_as_it_was_written(world: World) -> None:
    """The link is minted once for it, and stays while the mail may have to be sent again."""
    waiting = mailing(with_pages(world), day=1.2)
    waiting.carry_out(Scripted(Deferred(451, "later")))
    assert waiting.status == "pending"
    (link,) = world.rows(models.links)
    assert TOKEN.search(waiting.effect.rendered["text"])
    waiting.later()
    waiting.carry_out()
    assert waiting.status == "sent"
    assert LINKS.read(token(waiting.story)) == link.digest
    assert len(world.rows(models.links)) == 1


def ask(world: World, story: Story, number: int = 1) -> str:
    """What the page does for somebody who asks for a fresh link; returns the step."""
    step = f"{FRESH_LINK}:{story.invoice.id}:{number}"

    (owner,) = world.rows(models.customers, models.customers.c.id)

    async def add_row() -> list[int]:
        async with world.services.engine.begin() as connection:
            effect = NewEffect(
                customer_id=owner.id,
                case=story.invoice.id,
                step=step,
                kind=Kind.MAIL,
                name=FRESH_LINK,
                channel="mail",
                reason="it was asked for on the page",
                created_at=story.now,
            )
            return await add(connection, [effect])

    world.queue.append((MAIL, world.run(add_row())))
    world.run(world.drain())
    return step


def test_a_link_that_was_asked_for_is_sent(world: World) -> None:
    """At any hour, and no plan is asked; it does not count as a reminder."""
    story = subscriber(with_pages(world), *["insufficient_funds"] * 4).until(1.5, stops=range(2))
    before = len(story.inbox)
    step = ask(world, story)
    assert (step, "sent") in world.effects()
    assert LINKS.read(token(story))
    assert "new link" in story.text()
    story.until(6.3, stops=NOONS)
    assert len(story.inbox) == before + 2, "the next reminder came when it would have come anyway"


def test_who_has_paid_meanwhile_is_sent_nothing(world: World) -> None:
    """The page would only say so."""
    story = subscriber(with_pages(world), "insufficient_funds").until(1.5, stops=range(2))
    story.pay(Card())
    step = ask(world, story)
    assert (step, "suppressed") in world.effects()


def test_without_pages_mails_lead_to_stripe(world: World) -> None:
    """A control: nothing changes for those who have not set up a page."""
    story = subscriber(world, "insufficient_funds").until(1.5, stops=range(2))
    assert f"{world.stripe.url}/hosted/" in story.text()
    assert world.rows(models.links) == []
