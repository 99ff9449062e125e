"""Somebody else pays: named on the page, confirmed by the address on file, and told of it all then."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from dunning.account import Account
from dunning.instructions import Instruction, Verb
from dunning.payer import confirmation_step, naming, payer, why_not_confirmed, why_not_named
from sandbox.mail import Mail
from sandbox.stripe import Card
from tests.dunning import builders
from tests.dunning.builders import INVOICE, day
from tests.dunning.more_builders import after, said
from tests.portal.conftest import PAGES, LinkTo
from tests.portal.test_paying import words
from tests.portal.visits import click, forms, look
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

COLLEAGUE = "accounts@customer.example"
LINK = re.compile(r"https://pay\.merchant\.example/p/([A-Za-z0-9_.-]+)")


def token_in(mail: Mail) -> str:
    found = LINK.search(mail.text)
    assert found
    return found[1]


def failing(world: World) -> Story:
    return subscriber(world, *["expired_card"] * 9).until(1)


def test_it_all_goes_to_who_was_named_and_confirmed(world: World, link_to: LinkTo) -> None:
    """The page, the mails that follow, and a thread of their own; the receipt too."""
    story = failing(world)
    asked = click(world, link_to(story).token, "payer", address=COLLEAGUE)
    assert "Please look into your mailbox" in words(asked)
    assert world.inbox.to(COLLEAGUE) == []
    mail = story.inbox[-1]
    assert COLLEAGUE in mail.text
    done = click(world, token_in(mail), "confirm-payer")
    assert "everything about this payment goes to the new address" in words(done)
    own = len(story.inbox)
    story.until(8)
    world.stripe.engine.pay_invoice(story.invoice, card=Card())
    world.settle()
    mails = world.inbox.to(COLLEAGUE)
    assert len(story.inbox) == own
    assert mails[0].subject.startswith("A payment for Acme")
    assert "Thank you" in mails[-1].text
    assert not any("Ada" in mail.text for mail in mails)
    heads = {str(mail.message["In-Reply-To"]) for mail in mails[1:]}
    assert heads == {str(mails[0].message["Message-ID"])}
    assert look(world, token_in(mails[0])).status_code == 200


def test_another_link_cannot_confirm(world: World, link_to: LinkTo) -> None:
    """Whoever has a forwarded mail could otherwise take the bills to themselves."""
    story = failing(world)
    token = link_to(story).token
    click(world, token, "payer", address="thief@evil.example")
    page = look(world, token)
    assert "thief@evil.example" not in page.text
    assert "confirm-payer" not in forms(page.text)
    story.until(8)
    assert world.inbox.to("thief@evil.example") == []


def test_a_banner_cannot_confirm(world: World, link_to: LinkTo) -> None:
    """Not even one that is named after the link in the mail that asks: colleagues may see banners."""
    story = failing(world)
    click(world, link_to(story).token, "payer", address="thief@evil.example")
    asking = token_in(story.inbox[-1])
    assert "confirm-payer" in forms(look(world, asking).text)
    page = look(world, PAGES.links.banner(PAGES.links.read(asking) or b""))
    assert page.status_code == 200
    assert "thief@evil.example" not in page.text
    assert "confirm-payer" not in forms(page.text)


def test_a_newer_name_takes_the_place_of_one_that_waits(world: World, link_to: LinkTo) -> None:
    """The link of the first mail confirms nothing any more."""
    story = failing(world)
    token = link_to(story).token
    click(world, token, "payer", address="first@customer.example")
    first = token_in(story.inbox[-1])
    click(world, token, "payer", address=COLLEAGUE)
    assert "confirm-payer" not in forms(look(world, first).text)
    assert COLLEAGUE in look(world, token_in(story.inbox[-1])).text


def test_three_names_a_day_are_enough(world: World, link_to: LinkTo) -> None:
    """Nobody's mailbox is filled from the page."""
    story = failing(world)
    token = link_to(story).token
    before = len(story.inbox)
    answers = [click(world, token, "payer", address=f"{number}@customer.example") for number in range(4)]
    assert ["Please look into your mailbox" in words(each) for each in answers] == [True] * 3 + [False]
    assert len(story.inbox) == before + 3


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "a@b@c",
        "a b@c.example",
        "a@c.example\r\nBcc: x@y.example",
        "x" * 300 + "@c.example",
        "<a@c>",
    ],
)
def test_what_is_no_address_is_refused(world: World, link_to: LinkTo, address: str) -> None:
    """And nothing is written down."""
    story = failing(world)
    answer = click(world, link_to(story).token, "payer", address=address)
    assert "Please give a complete email address." in words(answer) or address == "<a@c>"
    assert world.inbox.to("x@y.example") == []


NAMED = said(Verb.NAME_PAYER, 1, to=COLLEAGUE)
CONFIRMED = said(Verb.CONFIRM_PAYER, 2, to=COLLEAGUE)


def known(*told: Instruction) -> Account:
    return after(builders.account(builders.customer(), builders.failures(0)), *told)


def test_a_name_waits_for_a_week() -> None:
    """To the second; a confirmation that comes later is of nothing."""
    account = known(NAMED)
    assert naming(account, INVOICE, day(8)) == NAMED
    assert naming(account, INVOICE, day(8) + timedelta(seconds=1)) is None
    assert why_not_confirmed(account, CONFIRMED, day(8)) is None
    assert why_not_confirmed(account, CONFIRMED, day(8.1))
    assert why_not_confirmed(known(), CONFIRMED, day(2))
    assert why_not_confirmed(account, said(Verb.CONFIRM_PAYER, 2, to="other@customer.example"), day(2))


def test_a_confirmed_name_holds_for_its_case_only() -> None:
    """And until another one is confirmed."""
    account = known(NAMED, CONFIRMED)
    found = payer(account, INVOICE)
    assert found
    assert (found.address, found.step) == (COLLEAGUE, f"payer_link:{INVOICE}:1")
    assert payer(account, "in_other") is None
    assert naming(account, INVOICE, day(3)) is None
    assert why_not_named(account, said(Verb.NAME_PAYER, 3, to=COLLEAGUE), day(3))
    again = known(NAMED, CONFIRMED, said(Verb.NAME_PAYER, 3, to="new@customer.example"))
    found = payer(again, INVOICE)
    assert found
    assert found.address == COLLEAGUE
    assert confirmation_step(again, INVOICE) == f"payer_confirmation:{INVOICE}:2"


def test_without_an_address_on_file_nobody_could_confirm() -> None:
    """So nobody is named."""
    account = builders.account(builders.customer(email=None), builders.failures(0))
    assert why_not_named(account, NAMED, day(1))
