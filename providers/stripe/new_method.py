"""A method that was given a moment ago: found, put where the next charge looks first, and charged.

Stripe charges the subscription's own default before the customer's, and its page for payment methods sets
the customer's: without the first being changed too, the dead card goes on being charged.
"""

from __future__ import annotations

from dataclasses import dataclass

from providers.fields import Json, part, parts, ref, whole
from providers.lookup import NOTHING_NEW, Charged
from providers.stripe.actions import INTENTS, charge
from providers.stripe.client import RefusedError, StripeApi
from providers.stripe.objects import subscription_of

EXPANDED = [
    "customer",
    "parent.subscription_details.subscription",
    *INTENTS,
]


@dataclass(frozen=True, slots=True)
class _Slots:
    """The methods by their ids: the subscription's own, the customer's, and the one that was charged last."""

    subscription: str | None
    own: str | None
    legacy_own: bool
    customers: str | None
    charged: str | None


async def pay_anew(api: StripeApi, invoice: str, key: str, *, present: bool) -> Charged:
    """Charge the method given last, if it is not the one that failed, and let the next charge take it too.

    Each request has an idempotency key made of `key`, so that all of it can be asked for again.
    """
    found = await api.ask(api.v1.invoices.retrieve_async(invoice, {"expand": EXPANDED}))
    owner = ref((found or {}).get("customer"))
    if found is None or owner is None or found.get("status") != "open":
        return Charged("refused", f"invoice_{(found or {}).get('status', 'unknown')}")
    slots = _slots(found)
    method = await _newest(api, owner, slots)
    if method is None and present:
        return Charged("refused", NOTHING_NEW)
    if method is None:
        # The card networks replaced the number of a card, which stays the same method.
        return await charge(api, invoice, key, {"off_session": True})
    try:
        await _place(api, owner, slots, method, key)
    except RefusedError as refused:
        return Charged("refused", refused.code)
    return await charge(api, invoice, key, {"off_session": not present, "payment_method": method})


def _slots(invoice: Json) -> _Slots:
    subscription = subscription_of(invoice)
    known = subscription if isinstance(subscription, dict) else {}
    tried = [part(each, "payment", "payment_intent") for each in parts(invoice, "payments", "data")]
    errors = [part(intent, "last_payment_error").get("payment_method") for intent in tried]
    held = [intent.get("payment_method") for intent in tried]
    return _Slots(
        subscription=ref(subscription),
        own=ref(known.get("default_payment_method")),
        legacy_own=known.get("default_source") is not None,
        customers=ref(part(invoice, "customer", "invoice_settings").get("default_payment_method")),
        charged=next((found for each in (*errors, *held) if (found := ref(each))), None),
    )


async def _newest(api: StripeApi, owner: str, slots: _Slots) -> str | None:
    """What was given after the method that failed, else what the customer has made their default instead."""
    failed = slots.charged or slots.own or slots.customers
    listed = await api.ask(api.v1.customers.payment_methods.list_async(owner, {"limit": 100}))
    given = {ref(each): whole(each, "created") for each in parts(listed or {}, "data")}
    newest = max(given, key=lambda each: given[each], default=None)
    if newest != failed and given.get(newest, 0) > given.get(failed, 0):
        return newest
    return slots.customers if slots.customers not in (failed, slots.own) else None


async def _place(api: StripeApi, owner: str, slots: _Slots, method: str, key: str) -> None:
    """On the slot that Stripe looks at first, and only there."""
    has_own = slots.own is not None or slots.legacy_own
    if slots.subscription and has_own and slots.own != method:
        await api.have_done(
            api.v1.subscriptions.update_async(
                slots.subscription, {"default_payment_method": method}, {"idempotency_key": f"{key}:slot"}
            )
        )
    elif not has_own and slots.customers != method:
        await api.have_done(
            api.v1.customers.update_async(
                owner,
                {"invoice_settings": {"default_payment_method": method}},
                {"idempotency_key": f"{key}:slot"},
            )
        )
