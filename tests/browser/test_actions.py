"""What a customer can do about a failed payment, walked to its end on our pages and on the sandbox's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.browser.conftest import Visit
from tests.browser.stories import bank_asks, hard
from tests.browser.town import Town
from tests.browser.visitor import DESKTOP, NARROWEST, PHONE, Visitor
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

Picture = Callable[[Visitor, str], None]
Meet = Callable[..., Visitor]

ASKED = "4000 0025 0000 3155"  # its bank wants to hear from the customer
DECLINED = "4000 0000 0000 0341"  # can be saved, and is declined when it is charged
GOOD = "5555 5555 5555 4444"
WAYS = [pytest.param(PHONE, False, id="phone-without-javascript"), pytest.param(DESKTOP, True, id="desktop")]


def declined_then(*outcomes: str) -> Callable[[World], Story]:
    """Somebody whose renewal was declined, and what the bank says to later charges."""
    return lambda world: subscriber(world, "generic_decline", *outcomes).until(1)


@pytest.fixture
def meet(visit: Visit, town: Town) -> Meet:
    """Let somebody open the page of a story of their own; they may go to the simulated Stripe too."""

    def open_page(story: Callable[[World], Story], *arguments: object, **options: object) -> Visitor:
        address = town.link(town.tell(story))
        stripe = town.tell(lambda world: world.stripe.url)
        return visit(*arguments, origins=(stripe,), **options).open(address)

    return open_page


def press(visitor: Visitor, name: str) -> None:
    """Press by keyboard what has this name."""
    visitor.button(name).focus()
    visitor.page.keyboard.press("Enter")


def says(visitor: Visitor, sentence: str) -> None:
    """Wait until it stands on the page."""
    visitor.page.get_by_text(sentence).wait_for()


def give_card(visitor: Visitor, number: str, button: str) -> None:
    """Fill in the provider's form."""
    visitor.page.get_by_label("Card number").fill(number)
    visitor.page.get_by_label("Expiry").fill("12/34")
    visitor.page.get_by_label("Security code").fill("123")
    visitor.button(button).click()


def is_fit(visitor: Visitor) -> None:
    """No barrier in light and in dark, nothing wider than the narrowest screen."""
    if visitor.runs_scripts:
        size = visitor.page.viewport_size
        assert visitor.barriers() == []
        visitor.page.emulate_media(color_scheme="dark")
        assert visitor.barriers("color-contrast") == []
        visitor.page.emulate_media(color_scheme="light")
        visitor.resize(NARROWEST)
        assert not visitor.is_wider_than_the_screen()
        assert size
        visitor.resize((size["width"], size["height"]))


@pytest.mark.parametrize(("size", "javascript"), WAYS)
def test_the_payment_is_tried_again_and_arrives(meet: Meet, size: tuple[int, int], javascript: bool) -> None:
    """One click, and the page says thank you."""
    visitor = meet(declined_then("ok"), size, javascript=javascript)
    press(visitor, "Try the payment again")
    says(visitor, "Thank you, your payment has arrived")


@pytest.mark.parametrize(("size", "javascript"), WAYS)
def test_the_bank_declines_once_more(
    meet: Meet, picture: Picture, size: tuple[int, int], javascript: bool
) -> None:
    """The answer is announced, and after three tries the page says why there is no fourth."""
    visitor = meet(declined_then("insufficient_funds"), size, javascript=javascript)
    press(visitor, "Try the payment again")
    visitor.page.get_by_role("status").get_by_text("the payment was declined").wait_for()
    assert visitor.page.title().startswith("We have just tried again, and the payment was declined.")
    picture(visitor, f"declined-{'desktop' if javascript else 'phone'}")
    is_fit(visitor)
    for _ in range(2):
        press(visitor, "Try the payment again")
        visitor.page.get_by_role("status").get_by_text("the payment was declined").wait_for()
    says(visitor, "You have tried this several times today.")
    assert visitor.button("Try the payment again").count() == 0


@pytest.mark.parametrize(("size", "javascript"), WAYS)
def test_another_card_is_given_and_pays(
    meet: Meet, picture: Picture, size: tuple[int, int], javascript: bool
) -> None:
    """To the provider's page and back; the page then says which card is charged in future."""
    visitor = meet(hard, size, javascript=javascript)
    press(visitor, "Use another payment method")
    visitor.page.get_by_role("heading", name="Add a payment method").wait_for()
    give_card(visitor, GOOD, "Save card")
    says(visitor, "If you have given a new payment method, one click remains")
    picture(visitor, f"back-{'desktop' if javascript else 'phone'}")
    is_fit(visitor)
    press(visitor, "Pay now with the new payment method")
    says(visitor, "Thank you, your payment has arrived")
    says(visitor, "Mastercard •••• 4444")


def test_another_card_is_declined_as_well(meet: Meet) -> None:
    """It is kept all the same, and yet another one can be given."""
    visitor = meet(hard, PHONE)
    press(visitor, "Use another payment method")
    give_card(visitor, DECLINED, "Save card")
    press(visitor, "Pay now with the new payment method")
    says(visitor, "Your new payment method is saved, but the payment with it was declined.")
    assert visitor.button("Use another payment method").count() == 1
    is_fit(visitor)


def test_a_card_whose_bank_asks_is_confirmed_on_the_way(meet: Meet) -> None:
    """Once, where it is given; it then pays without another question."""
    visitor = meet(hard, PHONE)
    press(visitor, "Use another payment method")
    give_card(visitor, ASKED, "Save card")
    visitor.button("Complete authentication").click()
    press(visitor, "Pay now with the new payment method")
    says(visitor, "Thank you, your payment has arrived")


def test_who_comes_back_without_a_card_is_not_charged(meet: Meet) -> None:
    """They changed their mind on the provider's page."""
    visitor = meet(hard, PHONE)
    press(visitor, "Use another payment method")
    visitor.button("Go back without saving").click()
    press(visitor, "Pay now with the new payment method")
    says(visitor, "We have found no new payment method, so nothing was charged.")


@pytest.mark.parametrize(("size", "javascript"), WAYS)
def test_the_bank_is_given_its_confirmation(
    meet: Meet, town: Town, size: tuple[int, int], javascript: bool
) -> None:
    """On the provider's page for the invoice; ours then says thank you."""
    visitor = meet(bank_asks, size, javascript=javascript)
    ours = visitor.page.url
    press(visitor, "Confirm the payment with your bank")
    visitor.button("Confirm with your bank").click()
    visitor.button("Complete authentication").click()
    says(visitor, "Thank you")
    town.tell(lambda world: world.settle())
    visitor.open(ours)
    says(visitor, "Thank you, your payment has arrived")


def test_the_bank_is_not_convinced(meet: Meet, town: Town) -> None:
    """The payment stays open, and can be confirmed again."""
    visitor = meet(bank_asks, PHONE)
    ours = visitor.page.url
    press(visitor, "Confirm the payment with your bank")
    visitor.button("Confirm with your bank").click()
    visitor.button("Fail authentication").click()
    visitor.page.get_by_role("alert").wait_for()
    town.tell(lambda world: world.settle())
    visitor.open(ours)
    assert visitor.button("Use another payment method").count() == 1


@pytest.mark.parametrize(("size", "javascript"), WAYS)
def test_a_day_is_promised(meet: Meet, picture: Picture, size: tuple[int, int], javascript: bool) -> None:
    """Behind a fold that opens by keyboard; the page then knows of the promise."""
    story: list[Story] = []

    def told(world: World) -> Story:
        story.append(subscriber(world, *["insufficient_funds"] * 9).until(1))
        return story[0]

    visitor = meet(told, size, javascript=javascript)
    visitor.page.get_by_text("I can only pay later").focus()
    visitor.page.keyboard.press("Enter")
    picture(visitor, f"promise-{'desktop' if javascript else 'phone'}")
    is_fit(visitor)
    day = (story[0].now + timedelta(days=8)).date()
    visitor.page.get_by_label("The day on which you pay").fill(day.isoformat())
    press(visitor, "Promise")
    says(visitor, f"We wait for your payment until {day:%B} {day.day}, {day.year}.")
    says(visitor, "You have promised to pay by")
    assert visitor.page.get_by_text("I can only pay later").count() == 0
    is_fit(visitor)


@pytest.mark.parametrize(("size", "javascript"), WAYS)
def test_somebody_else_is_the_one_who_pays(
    meet: Meet, town: Town, size: tuple[int, int], javascript: bool
) -> None:
    """Named on the page, confirmed by the link in a mail to the address on file, and told of it by mail."""
    mine, theirs = f"me-{javascript}@customer.example", f"accounts-{javascript}@customer.example"
    visitor = meet(
        lambda world: subscriber(world, *["expired_card"] * 9, email=mine).until(1),
        size,
        javascript=javascript,
    )
    visitor.page.get_by_text("I am not the one who pays").focus()
    visitor.page.keyboard.press("Enter")
    is_fit(visitor)
    visitor.page.get_by_label("The email address of the person who pays").fill(theirs)
    press(visitor, "Pass it on")
    says(visitor, "we have sent an email to the address we have on file")
    visitor.open(town.mailed(mine, after=1))
    says(visitor, f"Somebody else pays: {theirs}")
    is_fit(visitor)
    press(visitor, "Yes, send it there from now on")
    says(visitor, "everything about this payment goes to the new address")
    visitor.open(town.mailed(theirs))
    assert visitor.button("Use another payment method").count() == 1
