"""What is bought again at Stripe, of whatever the old subscription was made."""

from __future__ import annotations

from typing import Any

import pytest

from providers.lookup import NothingToPayError, NotSoldError
from providers.stripe.objects import FOLLOWS
from providers.stripe.returning import wanted
from sandbox.stripe import SimulatedStripe
from tests.providers.asking import ask

BACK = "https://pay.example.com/p/token?back=1"


def item(price: str, quantity: int | None, usage: str = "licensed") -> dict[str, Any]:
    return {"price": {"id": price, "recurring": {"usage_type": usage}}, "quantity": quantity}


def old(**more: Any) -> dict[str, Any]:
    """An ended subscription with two seats and a metered price."""
    items = [item("price_seats", 2), item("price_calls", None, "metered")]
    return {"id": "sub_1", "items": {"data": items}, "metadata": {"tenant": "7"}, **more}


def test_the_same_prices_and_quantities() -> None:
    """Metered ones have none; the merchant's metadata comes along, with where it came from."""
    session = wanted(old(), "cus_1", BACK)
    assert session["line_items"] == [{"price": "price_seats", "quantity": 2}, {"price": "price_calls"}]
    assert session["subscription_data"] == {"metadata": {"tenant": "7", FOLLOWS: "sub_1"}}
    assert session["metadata"] == {FOLLOWS: "sub_1"}
    assert (session["mode"], session["success_url"], session["cancel_url"]) == ("subscription", BACK, BACK)
    assert "automatic_tax" not in session


def test_who_comes_back_twice_follows_the_last_one() -> None:
    """Not the one before it."""
    session = wanted(old(metadata={FOLLOWS: "sub_0"}), "cus_1", BACK)
    assert session["subscription_data"]["metadata"] == {FOLLOWS: "sub_1"}


def test_taxes_go_on_being_worked_out() -> None:
    """Where Stripe did so before; it needs an address for it."""
    session = wanted(old(automatic_tax={"enabled": True}), "cus_1", BACK)
    assert session["automatic_tax"] == {"enabled": True}
    assert session["customer_update"] == {"address": "auto"}


def test_what_stripe_does_not_know_is_not_sold(stripe: SimulatedStripe) -> None:
    """Nor can it be paid for."""
    with pytest.raises(NotSoldError):
        ask(stripe, lambda gateway: gateway.begin_again("sub_unknown", BACK))
    with pytest.raises(NothingToPayError):
        ask(stripe, lambda gateway: gateway.revive("sub_unknown"))
