"""What a Stripe subscription costs, where that can be known beforehand."""

from __future__ import annotations

from providers.fields import LARGEST, Json, flag, part, parts, text, whole


def amount_of(subscription: Json) -> int | None:
    """The items' unit amounts times their quantities, in minor units.

    None where that is not what a period will cost: a price by use or in tiers, with fractions of the minor
    unit, or for packages; items of different periods; or a list too long to have come whole.
    """
    items = parts(subscription, "items", "data")
    if not items or flag(part(subscription, "items"), "has_more"):
        return None
    if len({_period(item) for item in items}) > 1:
        return None
    amounts = [_amount(item) for item in items]
    fixed = [amount for amount in amounts if amount is not None]
    total = sum(fixed)
    return total if len(fixed) == len(items) and abs(total) <= LARGEST else None


def currency_of(subscription: Json) -> str | None:
    """The subscription's own, which all its prices share; long ago only the prices had one."""
    items = parts(subscription, "items", "data")
    return text(subscription, "currency") or (text(part(items[0], "price"), "currency") if items else None)


def _period(item: Json) -> tuple[str | None, int]:
    recurring = part(item, "price", "recurring")
    return text(recurring, "interval"), whole(recurring, "interval_count")


def _amount(item: Json) -> int | None:
    price = part(item, "price")
    by_use = text(part(price, "recurring"), "usage_type") == "metered"
    in_tiers = text(price, "billing_scheme") == "tiered"
    if by_use or in_tiers or part(price, "transform_quantity"):
        return None
    if price.get("unit_amount") is None or item.get("quantity") is None:
        return None
    return whole(price, "unit_amount") * whole(item, "quantity")
