"""Stripe's payment methods as facts: from their own events, and from where they come expanded."""

from __future__ import annotations

from typing import Any

from dunning.events import AsOf, MethodSeen
from providers.fields import Json, part, ref, text, whole
from providers.lookup import MalformedEventError

MONTHS_OF_A_YEAR = 12
LAST_YEAR = 9999


def method_seen(method: Json, as_of: AsOf, owner: str | None = None) -> MethodSeen | None:
    """One PaymentMethod, or None for one that belongs to nobody.

    `owner` is whose it was where the method itself names nobody any more: it has been detached from them.
    The type names the object with the details, which has a `last4` for cards and bank accounts alike.
    """
    holder = _holder(method)
    customer, found = holder or owner, ref(method)
    if customer is None or found is None:
        return None
    kind = text(method, "type") or "unknown"
    details, card = part(method, kind), part(method, "card")
    return MethodSeen(
        customer=customer,
        method=found,
        as_of=as_of,
        type=kind,
        brand=text(card, "brand"),
        last4=text(details, "last4"),
        exp_month=_within(card, "exp_month", MONTHS_OF_A_YEAR),
        exp_year=_within(card, "exp_year", LAST_YEAR),
        country=text(card, "country"),
        detached=holder is None,
    )


def method_detached(method: Json, before: Json, as_of: AsOf) -> MethodSeen | None:
    """`payment_method.detached` names nobody: whose it was stands in its previous attributes."""
    return method_seen(method, as_of, owner=_holder(before))


def methods_of(thing: Json, as_of: AsOf) -> list[MethodSeen]:
    """The default methods that came expanded with a subscription or an invoice, and with its customer."""
    customer = thing.get("customer")
    expanded: list[Any] = [
        thing.get("default_payment_method"),
        part(customer, "invoice_settings").get("default_payment_method") if _is_object(customer) else None,
    ]
    seen = (method_seen(each, as_of, owner=ref(customer)) for each in expanded if _is_object(each))
    return [fact for fact in seen if fact]


def _holder(thing: Json) -> str | None:
    return ref(thing.get("customer")) or ref(thing.get("customer_account"))


def _is_object(thing: Any) -> bool:
    return isinstance(thing, dict)


def _within(thing: Json, name: str, last: int) -> int | None:
    """A number of the calendar, None for null."""
    found = whole(thing, name)
    if not 0 <= found <= last:
        raise MalformedEventError(f"{name} is none of the calendar")
    return found or None
