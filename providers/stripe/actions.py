"""What is done at Stripe, where the policy asks for it: charging an invoice, and ending a subscription."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dunning.account import ENDED
from providers.fields import Json, part, parts
from providers.lookup import NEEDS_CONFIRMATION, Charged, EndAction, ProviderUnavailableError
from providers.stripe.client import RefusedError, StripeApi

INTENTS = ["payments.data.payment.payment_intent"]


async def pay(api: StripeApi, invoice: str, key: str, *, present: bool) -> Charged:
    """Charge what Stripe would charge at its next retry."""
    return await charge(api, invoice, key, {"off_session": not present})


async def charge(api: StripeApi, invoice: str, key: str, how: Mapping[str, Any]) -> Charged:
    """Pay an invoice. Unless `off_session`, the bank may ask the customer, who is there, to confirm."""
    try:
        paid = await api.have_done(
            api.v1.invoices.pay_async(
                invoice, cast(Any, {**how, "expand": INTENTS}), {"idempotency_key": key}
            )
        )
    except RefusedError as refused:
        return Charged("declined" if refused.declined else "refused", refused.code)
    if paid.get("status") == "paid":
        return Charged("paid")
    statuses = _intents(paid)
    if "processing" in statuses:
        return Charged("processing")
    if "requires_action" in statuses:
        return Charged("declined", NEEDS_CONFIRMATION)
    return Charged("refused", f"invoice_{paid.get('status')}")


def _intents(invoice: Json) -> set[object]:
    payments = parts(invoice, "payments", "data")
    return {part(each, "payment", "payment_intent").get("status") for each in payments}


async def end(api: StripeApi, subscription: str, action: EndAction, key: str) -> None:
    """Stop a subscription that nobody pays, unless it has ended already.

    `cancel` is final, and bills and credits nothing more. `pause` makes no more invoices until somebody
    resumes it; only Stripe's flexible billing mode can, so any other has each new invoice voided instead.
    `unpaid` has no counterpart: no request sets that status, which Stripe gives by its own retry settings
    only. What comes to the same is a pause of collection with `keep_as_draft`: invoices go on being made
    and are not charged, while the status stays as it is. It holds for invoices to come: an open one is
    still retried for as long as Stripe's own schedule says.

    A cancellation cannot carry an idempotency key (DELETE), and needs none. Whatever Stripe refuses is
    raised as ProviderUnavailableError too: a person has to look into it.
    """
    found = await api.ask(api.v1.subscriptions.retrieve_async(subscription))
    if found is None or found.get("status") in ENDED:
        return
    try:
        match action:
            case "cancel":
                await api.have_done(
                    api.v1.subscriptions.cancel_async(subscription, {"invoice_now": False, "prorate": False})
                )
            case "pause":
                await _pause(api, found, subscription, key)
            case "unpaid":
                await _hold_invoices(api, subscription, "keep_as_draft", key)
    except RefusedError as refused:
        if not refused.missing:
            raise ProviderUnavailableError(refused.code) from None


async def _pause(api: StripeApi, found: Json, subscription: str, key: str) -> None:
    if found.get("status") == "paused":
        return
    if part(found, "billing_mode").get("type") != "flexible":
        await _hold_invoices(api, subscription, "void", key)
        return
    await api.have_done(
        api.v1.subscriptions.pause_async(subscription, {"type": "subscription"}, {"idempotency_key": key})
    )


async def _hold_invoices(api: StripeApi, subscription: str, behavior: str, key: str) -> None:
    await api.have_done(
        api.v1.subscriptions.update_async(
            subscription, {"pause_collection": {"behavior": behavior}}, {"idempotency_key": key}
        )
    )
