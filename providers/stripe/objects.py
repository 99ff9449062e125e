"""Stripe's objects read as facts, in the shapes before and after API version 2025-03-31 (basil).

An event is rendered in its endpoint's API version and a retrieved object in the client's, so one process
meets both at once. Sources: Stripe API changelogs 2025-03-31.basil to 2026-10-28.endive.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dunning.events import AsOf, ChargeFailed, CustomerSeen, InvoiceSeen, SubscriptionSeen
from providers.fields import (
    Json,
    flag,
    moment,
    moment_of,
    pairs,
    part,
    parts,
    ref,
    required,
    text,
    texts,
    whole,
)
from providers.lookup import MalformedEventError
from providers.stripe.prices import amount_of, currency_of

# The key, in a subscription's metadata and a Checkout session's, that names the ended subscription which is
# bought again.
FOLLOWS = "dunning_follows"


def customer_ref(thing: Json) -> str:
    """Whose it is: since 14.x API versions `customer` may be null with `customer_account` set instead."""
    found = ref(thing.get("customer")) or ref(thing.get("customer_account"))
    if not found:
        raise MalformedEventError(f"{thing.get('object', 'object')} names no customer")
    return found


def subscription_of(invoice: Json) -> Any:
    """The subscription an invoice bills (id or expanded object), or None for a one-off invoice."""
    details = part(invoice, "parent", "subscription_details")
    return details.get("subscription") or invoice.get("subscription")


def customer_seen(customer: Json, as_of: AsOf) -> CustomerSeen:
    return CustomerSeen(
        customer=_name(customer, "id"),
        as_of=as_of,
        email=text(customer, "email"),
        name=text(customer, "name"),
        locales=texts(customer, "preferred_locales"),
        country=text(part(customer, "address"), "country"),
        metadata=pairs(customer, "metadata"),
        payment_method=ref(part(customer, "invoice_settings").get("default_payment_method")),
        test_clock=ref(customer.get("test_clock")),
        deleted=flag(customer, "deleted"),
    )


def subscription_seen(subscription: Json, as_of: AsOf) -> SubscriptionSeen:
    items = parts(subscription, "items", "data")
    price = part(items[0], "price") if items else {}
    # A date set with `cancel_at` is as deliberate as the end of the period.
    cancel_at = moment(subscription.get("cancel_at"))
    return SubscriptionSeen(
        customer=customer_ref(subscription),
        subscription=_name(subscription, "id"),
        as_of=as_of,
        status=_name(subscription, "status"),
        plan=text(price, "nickname"),
        product=ref(price.get("product")),
        interval=text(part(price, "recurring"), "interval"),
        cancel_at_period_end=flag(subscription, "cancel_at_period_end") or cancel_at is not None,
        period_end=cancel_at or _period_end(subscription, items),
        trial_end=moment(subscription.get("trial_end")),
        ended_at=moment(subscription.get("ended_at")),
        paused_for=text(part(subscription, "status_details", "paused", "subscription"), "type"),
        ended_for=text(part(subscription, "cancellation_details"), "reason"),
        payment_method=ref(subscription.get("default_payment_method")),
        amount=amount_of(subscription),
        currency=currency_of(subscription),
        follows=text(part(subscription, "metadata"), FOLLOWS),
    )


def _period_end(subscription: Json, items: list[Json]) -> datetime | None:
    """Since basil each item has its own; the last one counts."""
    ends = [moment(item.get("current_period_end")) for item in items]
    return max(filter(None, ends), default=moment(subscription.get("current_period_end")))


def invoice_seen(invoice: Json, as_of: AsOf) -> InvoiceSeen:
    status = _name(invoice, "status")
    at = part(invoice, "status_transitions")
    # Before basil `paid` was a field of its own; a draft has no status transitions worth reading.
    paid = status == "paid" or flag(invoice, "paid")
    return InvoiceSeen(
        customer=customer_ref(invoice),
        invoice=_name(invoice, "id"),
        as_of=as_of,
        status=status,
        subscription=ref(subscription_of(invoice)),
        billing_reason=text(invoice, "billing_reason"),
        collection_method=text(invoice, "collection_method"),
        number=text(invoice, "number"),
        currency=_name(invoice, "currency"),
        amount_remaining=whole(invoice, "amount_remaining"),
        amount_paid=_amount_paid(invoice),
        attempt_count=whole(invoice, "attempt_count"),
        next_attempt_at=moment(invoice.get("next_payment_attempt")),
        paid_at=(moment(at.get("paid_at")) or as_of.at) if paid else None,
        voided_at=(moment(at.get("voided_at")) or as_of.at) if status == "void" else None,
        written_off_at=_written_off_at(at, status, as_of),
    )


def _amount_paid(invoice: Json) -> int:
    """Minor units of real money, paid through Stripe or past it (`paid_out_of_band`)."""
    past_stripe = whole(invoice, "amount_paid_off_stripe")
    if flag(invoice, "paid_out_of_band"):
        past_stripe = max(past_stripe, whole(invoice, "amount_due"))
    return max(whole(invoice, "amount_paid"), past_stripe)


def _written_off_at(at: Json, status: str, as_of: AsOf) -> datetime | None:
    marked = moment(at.get("marked_uncollectible_at"))
    return (marked or as_of.at) if status == "uncollectible" or marked else None


def charge_failed(charge: Json, *, customer: str, invoice: str) -> ChargeFailed | None:
    """A line of the ledger, or None for a charge that did not fail or never reached the network.

    Radar's blocks (`network_status: not_sent_to_network`) are no attempts at the card, but the first
    of them is still why the payment failed, so it counts as the failure it is.
    """
    if charge.get("status") != "failed":
        return None
    outcome = part(charge, "outcome")
    if outcome.get("reason") == "previously_declined_do_not_retry":
        return None
    method = part(charge, "payment_method_details")
    card = part(method, "card")
    return ChargeFailed(
        customer=customer,
        invoice=invoice,
        charge=_name(charge, "id"),
        at=moment_of(charge, "created"),
        code=text(charge, "failure_code"),
        decline_code=_decline_code(charge, outcome),
        outcome_reason=text(outcome, "reason"),
        advice_code=text(outcome, "advice_code"),
        method_type=text(method, "type"),
        card_brand=text(card, "brand"),
        card_last4=text(card, "last4"),
        card_country=text(card, "country"),
    )


def _decline_code(charge: Json, outcome: Json) -> str | None:
    """A charge has no decline_code of its own: the issuer's reason is its outcome's, if it was declined."""
    if outcome.get("type") == "issuer_declined" and outcome.get("reason"):
        return text(outcome, "reason")
    return text(charge, "decline_code")


def _name(thing: Json, name: str) -> str:
    """A string that no object of this kind can do without."""
    required(thing, name)
    found = text(thing, name)
    if found is None:
        raise MalformedEventError(f"{name} is empty")
    return found
