"""More mistakes that other dunning systems made: with links, cards, engines, beginnings and stops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from db import models
from dunning.instructions import Verb
from dunning.requests import Request
from sandbox.stripe import Card, RetryPolicy, custom_schedule
from sandbox.stripe.objects import render_event
from sandbox.stripe.records import Charge
from sandbox.stripe.versions import NEW, ApiVersion
from tests.scenarios.conftest import MakeWorld
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import PLAIN, World

ONCE = custom_schedule(30, at_end="past_due")
TO_THE_END = custom_schedule(3, 5, 4, at_end="past_due")


def links(story: Story) -> Iterator[str]:
    """Every link in every mail to the customer."""
    for mail in story.inbox:
        yield from re.findall(r"https?://[^\s\"<>]+", f"{mail.text} {mail.html}")


def test_class_11_no_next_attempt_is_not_the_last_one(world: World) -> None:
    """With automations the event of each failure names no next attempt: nothing ends, nothing is final."""
    retries = custom_schedule(3, 5, 4, at_end="past_due", automations=True)
    story = subscriber(world, "do_not_honor", retries=retries).until(5)

    for event in world.stripe.engine.events("invoice.payment_failed"):
        shown = render_event(event, ApiVersion(NEW))["data"]["object"]
        assert shown["next_payment_attempt"] is None
    assert story.mails() == [(0, "payment_failed 1"), (3, "payment_failed 2")]
    assert story.level() == ("warned", "payment_failed")
    assert story.until_when() == 14


def test_class_18_exactly_what_was_taken_is_given_back(world: World) -> None:
    """The receipt says which subscription, what it had before and what was left; the payment redeems it."""
    story = subscriber(world, "do_not_honor", retries=TO_THE_END)
    before = story.level()
    story.until(16)
    assert story.pay(Card())

    [returned] = [entry for entry in story.journal() if entry.kind == "access.returned"]
    assert returned.data["subscription"] == story.subscription.id
    assert (returned.data["before"], returned.data["level"]) == ("warned", "revoked")
    assert story.level() == before == ("full", "good_standing")


def test_class_23_a_link_is_as_fresh_as_its_mail(world: World) -> None:
    """Stripe's page moves between two mails: each has the link of its own day."""
    story = subscriber(world, "do_not_honor", retries=ONCE).until(1)
    old = story.invoice.hosted_url or ""
    moved = replace(story.invoice, hosted_url=f"{old}&again")
    world.stripe.engine.ledger.put(moved)
    story.until(3)

    assert old in story.text(0)
    assert f"{old}&again" in story.text(1)


def test_class_25_reading_every_link_changes_nothing(world: World) -> None:
    """A scanner opens all links of all mails: nothing is paid, nothing happens at Stripe, nothing at ours."""
    story = subscriber(world, "do_not_honor", retries=TO_THE_END).until(14)
    before = (story.invoice, story.charges, len(world.stripe.engine.events()), world.effects())
    stripes = {link for link in links(story) if link.startswith(world.stripe.url)}
    assert stripes
    for link in stripes:
        for method in ("HEAD", "GET"):
            assert httpx.request(method, link, trust_env=False).status_code == httpx.codes.OK
    world.settle()

    assert (story.invoice, story.charges, len(world.stripe.engine.events()), world.effects()) == before


def test_class_26_who_knows_an_invoice_sees_nothing(world: World) -> None:
    """Every link that names an invoice has a secret of Stripe's; without it there is no page."""
    story = subscriber(world, "do_not_honor", retries=TO_THE_END).until(14)

    naming = {link for link in links(story) if story.invoice.id in link or story.customer.id in link}
    assert naming
    for link in naming:
        assert link.startswith(world.stripe.url)
        bare = link.partition("?")[0]
        assert httpx.get(bare, trust_env=False).status_code == httpx.codes.NOT_FOUND


def test_class_27_a_card_on_the_wrong_slot_is_not_taken_for_the_one_that_is_charged(world: World) -> None:
    """The subscription has a card of its own: a new default of the customer's does not pay, as is said."""
    engine = world.stripe.engine
    story = subscriber(world).until(-30)
    own = engine.save_card(story.customer, Card("mastercard", "0001", (1, 2026), country="GB"))
    subscription = engine.refresh(story.subscription)
    changed = replace(subscription, default_payment_method=own.id)
    with engine.ledger.lock:
        engine.ledger.change("customer.subscription.updated", changed, at=int(story.now.timestamp()))
    engine.save_card(story.customer, Card(country="GB"))
    world.settle()
    story.until(-1)

    assert story.mails() == [(-14, "card_expiring 14d")]
    assert "0001" in story.text()


@pytest.mark.parametrize("away", [2, 12])
def test_class_33_switched_on_among_debtors_it_neither_skips_nor_blasts(world: World, away: int) -> None:
    """Nothing was heard before: one mail at a time, counted from the true failure, and a full warning."""
    story = subscriber(world, "do_not_honor", retries=custom_schedule(3, 5, 5, at_end="past_due"))
    world.stripe.engine.advance(story.present_clock, story.renewal + timedelta(days=away))
    world.hear()
    story.until(20)

    heard = {2: 3, 12: 13}[away]
    mails = story.mails()
    assert mails[0][0] == heard
    assert [day for day, _ in mails] == sorted({day for day, _ in mails})
    warned = {what: day for day, what in mails}["final_warning 72h"]
    revoked = [day for day, level, _ in story.access() if level == "revoked"]
    assert revoked == [max(14, warned + 3)]


def test_class_34_what_stripe_charges_we_do_not(make_world: MakeWorld) -> None:
    """Retries are set to be ours, and Stripe's are still on: one engine charges, the other says why not."""
    world = make_world(policy=PLAIN.model_copy(update={"retries": "worker"}))
    story = subscriber(world, "do_not_honor", retries=TO_THE_END).until(13)

    assert [story.day(_at(charge)) for charge in story.charges[1:]] == [0, 3, 8, 12]
    assert not [step for step, _ in world.effects() if step.startswith("retry")]


def test_class_34_where_stripe_does_not_charge_we_do(make_world: MakeWorld) -> None:
    """Without a schedule of Stripe's the second charge is ours, in the morning; it pays."""
    world = make_world(policy=PLAIN.model_copy(update={"retries": "worker"}))
    nothing = RetryPolicy(delays=(), at_end="past_due")
    story = subscriber(world, "do_not_honor", "ok", retries=nothing).until(5)

    assert len(story.charges) == 3
    assert 2 <= story.day(_at(story.charges[-1])) < 3
    assert story.outcome() == "recovered"
    assert story.mails()[-1][1] == "recovered"


def _at(charge: Charge) -> datetime:
    return datetime.fromtimestamp(charge.created, UTC)


def test_class_36_nothing_is_deleted_on_a_lapse(world: World) -> None:
    """Through the end of access, the customer's own deletion and a month more, no row goes away."""
    tables = (
        models.customers, models.subscriptions, models.invoices, models.charges, models.cases,
        models.outbox, models.journal, models.access, models.inbox,
    )  # fmt: skip
    story = subscriber(world, "do_not_honor", retries=TO_THE_END).until(14)
    before = [len(world.rows(table)) for table in tables]
    story.until(20)
    world.stripe.engine.delete_customer(story.customer)
    story.until(45)

    after = [len(world.rows(table)) for table in tables]
    assert all(now >= then for then, now in zip(before, after, strict=True))


def test_class_37_a_stop_outlives_the_next_failure(default_world: World) -> None:
    """Stopped by a person: neither the next charge nor next month's invoice starts it again."""
    world = default_world
    story = subscriber(world, "do_not_honor", retries=TO_THE_END).until(1)
    stop = Request(Verb.STOP, by="Grace", why="they dispute it", case=story.invoice.id)
    world.tell(story.customer, stop)
    story.until(45)

    assert story.invoice.attempt_count > 1
    assert story.mails() == [(0, "payment_failed 1")]
    assert story.calls() == []
    assert story.level()[0] == "warned"
