"""Coming back to Stripe: an ended subscription is bought again, an unpaid one paid for, old invoices voided.

A canceled subscription is final at Stripe: whoever comes back gets a new one, with new periods, for the same
prices. Its invoices that are open stay so and are charged by nobody (docs: Subscriptions, cancel).
"""

from __future__ import annotations

from typing import Any, cast

from dunning.account import ENDED
from providers.fields import Json, flag, part, parts, ref, text
from providers.lookup import NothingToPayError, NotSoldError, ProviderUnavailableError
from providers.stripe.client import RefusedError, StripeApi
from providers.stripe.objects import FOLLOWS

# A first payment that was never completed gives nothing, and is gone within a day.
NOT_RUNNING = ENDED | {"incomplete"}
PAYABLE = ("open", "uncollectible")


async def begin_again(api: StripeApi, subscription: str, back: str) -> str | None:
    """The address of a Checkout session, None for whoever has a subscription.

    First every session that we made before is closed, and only then is it asked what they have: so nothing
    can be paid behind the answer. The idempotency key names the newest session there is: two clicks at once
    get one session.
    """
    old = await api.ask(api.v1.subscriptions.retrieve_async(subscription))
    owner = ref((old or {}).get("customer"))
    if old is None or owner is None:
        raise NotSoldError("unknown_subscription")
    ours = await _sessions(api, owner)
    kept = await _close_all_but(api, ours, subscription, back)
    if await _has_one(api, owner):
        return None
    url = text(kept, "url") if kept else None
    return url or await _open(api, wanted(old, owner, back), newest=ref(ours[0]) if ours else None)


def wanted(old: Json, owner: str, back: str) -> dict[str, Any]:
    """The session: the same prices and quantities, and the merchant's own metadata.

    Metered prices have no quantity. Taxes that Stripe works out go on being worked out; discounts end.
    """
    follows = {FOLLOWS: ref(old) or ""}
    session: dict[str, Any] = {
        "mode": "subscription",
        "customer": owner,
        "line_items": [_line(item) for item in parts(old, "items", "data")],
        "success_url": back,
        "cancel_url": back,
        "metadata": follows,
        "subscription_data": {"metadata": {**part(old, "metadata"), **follows}},
    }
    if flag(part(old, "automatic_tax"), "enabled"):
        session |= {"automatic_tax": {"enabled": True}, "customer_update": {"address": "auto"}}
    return session


def _line(item: Json) -> dict[str, Any]:
    price = part(item, "price")
    metered = part(price, "recurring").get("usage_type") == "metered"
    line: dict[str, Any] = {"price": ref(price)}
    return line if metered else line | {"quantity": item.get("quantity") or 1}


async def _sessions(api: StripeApi, owner: str) -> list[Json]:
    """Those that were opened here, newest first."""
    listed = await api.ask(api.v1.checkout.sessions.list_async({"customer": owner, "limit": 100}))
    return [each for each in parts(listed or {}, "data") if FOLLOWS in part(each, "metadata")]


async def _close_all_but(api: StripeApi, sessions: list[Json], subscription: str, back: str) -> Json | None:
    """Close what is open, apart from a session for this very subscription and page, which is returned."""
    kept: Json | None = None
    for each in sessions:
        if each.get("status") != "open":
            continue
        same = part(each, "metadata").get(FOLLOWS) == subscription and each.get("success_url") == back
        if same and kept is None:
            kept = each
            continue
        try:
            await api.have_done(api.v1.checkout.sessions.expire_async(ref(each) or ""))
        except RefusedError:
            # It was paid or has run out a moment ago; what came of it is asked next.
            continue
    return kept


async def _has_one(api: StripeApi, owner: str) -> bool:
    """Whether the customer has any subscription, be it in arrears or paused."""
    listed = await api.ask(api.v1.subscriptions.list_async({"customer": owner, "limit": 100}))
    return any(each.get("status") not in NOT_RUNNING for each in parts(listed or {}, "data"))


async def _open(api: StripeApi, session: dict[str, Any], newest: str | None) -> str:
    key = f"dunning:return:{session['customer']}:{newest or 'first'}"
    try:
        made = await api.have_done(
            api.v1.checkout.sessions.create_async(cast(Any, session), {"idempotency_key": key})
        )
    except RefusedError as refused:
        raise NotSoldError(refused.code) from None
    url = text(made, "url")
    if url is None:
        raise ProviderUnavailableError("no_page")
    return url


async def revive(api: StripeApi, subscription: str) -> str:
    """The hosted page of the newest invoice: only that one, paid, makes an unpaid subscription active.

    Stripe leaves the invoices of an unpaid subscription as drafts: a draft is finalised, and charged by
    nobody but the customer.
    """
    found = await api.ask(api.v1.subscriptions.retrieve_async(subscription, {"expand": ["latest_invoice"]}))
    if found is None or found.get("status") != "unpaid":
        raise NothingToPayError(str((found or {}).get("status")))
    invoice = part(found, "latest_invoice")
    if invoice.get("status") == "draft":
        invoice = await _finalised(api, ref(invoice) or "", f"dunning:revive:{ref(invoice)}")
    url = text(invoice, "hosted_invoice_url") if invoice.get("status") in PAYABLE else None
    if url is None:
        raise NothingToPayError(str(invoice.get("status")))
    return url


async def void_unpaid(api: StripeApi, subscription: str, key: str) -> None:
    """Void the open invoices and the drafts of an ended subscription; what was written off stays so.

    Stripe deletes no draft of a subscription: it is finalised first, without being collected. What it
    refuses is raised as ProviderUnavailableError too: a person has to look into it.
    """
    listed = await api.ask(api.v1.invoices.list_async({"subscription": subscription, "limit": 100}))
    try:
        for invoice in parts(listed or {}, "data"):
            name = ref(invoice) or ""
            if invoice.get("status") == "draft":
                await _finalised(api, name, f"{key}:{name}:finalize")
            if invoice.get("status") in ("draft", "open"):
                await api.have_done(
                    api.v1.invoices.void_invoice_async(name, {}, {"idempotency_key": f"{key}:{name}:void"})
                )
    except RefusedError as refused:
        raise ProviderUnavailableError(refused.code) from None


async def _finalised(api: StripeApi, invoice: str, key: str) -> Json:
    return await api.have_done(
        api.v1.invoices.finalize_invoice_async(invoice, {"auto_advance": False}, {"idempotency_key": key})
    )
