"""Coming back after the end, walked to its end on our page and on the sandbox's."""

from __future__ import annotations

import pytest

from sandbox.stripe import custom_schedule
from tests.browser.stories import ended
from tests.browser.test_actions import GOOD, WAYS, Meet, give_card, is_fit, meet, press, says
from tests.browser.town import Town
from tests.browser.visitor import PHONE, Visitor
from tests.scenarios.story import Story, subscriber
from tests.scenarios.world import World

__all__ = ["meet"]

ASKS_EVERY_TIME = "4000 0027 6000 3184"
REFUSED = "4000 0000 0000 9995"
AGAIN = "Start again with the same plan"


def unpaid(world: World) -> Story:
    """Stripe has given up, and makes invoices that it does not charge."""
    return subscriber(world, *["do_not_honor"] * 9, retries=custom_schedule(3, at_end="unpaid")).until(5)


def at_the_till(visitor: Visitor) -> None:
    """The provider's page says what is bought and what it costs."""
    visitor.page.get_by_role("heading", name="Subscribe").wait_for()
    says(visitor, "$19.00 every month")
    is_fit(visitor)


@pytest.mark.parametrize(("size", "javascript"), WAYS)
def test_the_plan_is_bought_again(meet: Meet, town: Town, size: tuple[int, int], javascript: bool) -> None:
    """By keyboard; the page then knows of the new subscription and offers nothing more."""
    visitor = meet(ended, size, javascript=javascript)
    is_fit(visitor)
    press(visitor, AGAIN)
    at_the_till(visitor)
    give_card(visitor, GOOD, "Subscribe with this card")
    visitor.page.get_by_role("heading", name="Your subscription has ended").wait_for()
    town.tell(lambda world: world.settle())
    visitor.page.reload()
    says(visitor, "You have another subscription that is running")
    assert visitor.button(AGAIN).count() == 0
    is_fit(visitor)


def test_the_bank_is_asked_at_the_till(meet: Meet, town: Town) -> None:
    """A card is declined, another one's bank asks, and it is bought once."""
    visitor = meet(ended, PHONE)
    press(visitor, AGAIN)
    give_card(visitor, REFUSED, "Subscribe with this card")
    visitor.page.get_by_role("alert").get_by_text("insufficient funds").wait_for()
    is_fit(visitor)
    give_card(visitor, ASKS_EVERY_TIME, "Subscribe with this card")
    visitor.page.get_by_role("heading", name="Your bank asks").wait_for()
    is_fit(visitor)
    press(visitor, "Complete authentication")
    visitor.page.get_by_role("heading", name="Your subscription has ended").wait_for()


def test_turning_back_at_the_till(meet: Meet) -> None:
    """Nothing was bought, and the same button leads there again."""
    visitor = meet(ended, PHONE)
    press(visitor, AGAIN)
    at_the_till(visitor)
    till = visitor.page.url
    press(visitor, "Go back")
    says(visitor, "Have you just started again?")
    is_fit(visitor)
    press(visitor, AGAIN)
    at_the_till(visitor)
    assert visitor.page.url == till


@pytest.mark.parametrize(("size", "javascript"), WAYS)
def test_an_unpaid_subscription_goes_on(
    meet: Meet, town: Town, size: tuple[int, int], javascript: bool
) -> None:
    """Its newest invoice is paid, and nothing new is bought."""
    visitor = meet(unpaid, size, javascript=javascript)
    ours = visitor.page.url
    says(visitor, "Your subscription is on hold.")
    is_fit(visitor)
    press(visitor, "Pay the latest invoice")
    give_card(visitor, GOOD, "Pay with this card")
    says(visitor, "was paid on")
    town.tell(lambda world: world.settle())
    visitor.open(ours)
    says(visitor, "Thank you, your payment has arrived")
