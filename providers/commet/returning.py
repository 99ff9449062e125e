"""Buying again what has ended: Commet's checkout, which shows the price and charges nobody before they pay.

`reactivate` would bring the same subscription back, but charges the saved card at once, by a price that
nobody has been shown (docs: Handle Failed Payments).
"""

from __future__ import annotations

import hashlib

from providers.commet.client import CommetApi
from providers.commet.objects import named
from providers.fields import Json, part, parts, text
from providers.links import pay_link
from providers.lookup import NotSoldError, ProviderUnavailableError, RefusedError

# Commet sells nobody a second one beside these.
HAS_ONE = frozenset({"draft", "trialing", "active", "past_due", "paused"})
TAKEN = "already_has_active_subscription"


async def begin_again(api: CommetApi, subscription: str, back: str) -> str | None:
    """As `providers.lookup.Gateway` has it. What was begun and not paid for is gone on with."""
    try:
        ended = await api.read("subscriptions", subscription) or {}
        plan = text(part(ended, "plan"), "id")
        if plan is None:
            raise NotSoldError("no_plan")
        theirs = parts(await api.listed("subscriptions", customer_id=named(ended, "customer_id")), "data")
        if any(each.get("status") in HAS_ONE for each in theirs):
            return None
        begun = [each for each in theirs if _is_begun(each, plan)]
        made = begun[0] if begun else await _begin(api, ended, plan, back)
    except RefusedError as refused:
        if refused.code == TAKEN:
            return None
        raise NotSoldError(refused.code) from None
    url = pay_link(text(made, "checkout_url"))
    if url is None:
        raise ProviderUnavailableError("no_page")
    return url


def _is_begun(subscription: Json, plan: str) -> bool:
    same = text(part(subscription, "plan"), "id") == plan
    return (
        same and subscription.get("status") == "pending_payment" and bool(text(subscription, "checkout_url"))
    )


async def _begin(api: CommetApi, ended: Json, plan: str, back: str) -> Json:
    # Two clicks at once are one purchase; the page they lead back to is part of what is asked for.
    key = hashlib.sha256(f"{named(ended, 'id')} {back}".encode()).hexdigest()
    return await api.subscribe(
        customer_id=named(ended, "customer_id"),
        plan_id=plan,
        price_id=text(ended, "price_id"),
        skip_trial=True,
        success_url=back,
        idempotency_key=f"dunning-return-{key}",
    )
