"""Stripe's objects read as facts, in the shapes before and after API version 2025-03-31 (basil).

An event is rendered in its endpoint's API version and a retrieved object in the client's, so one process
meets both at once. Sources: Stripe API changelogs 2025-03-31.basil to 2026-10-28.endive.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dunning.events import AsOf, ChargeFailed, CustomerSeen, InvoiceSeen, SubscriptionSeen
from providers.lookup import MalformedEventError

Json = Mapping[str, Any]


def moment(value: Any) -> datetime | None:
    """Unix seconds or ISO 8601 (thin events) as UTC; None for null. Raises MalformedEventError."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value).astimezone(UTC)
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise MalformedEventError(f"not a time: {type(value).__name__}") from error


def ref(value: Any) -> str | None:
    """The id of an expandable field, expanded or not."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) and value else None


def required(value: Json, name: str) -> Any:
    """A field no event of this type can do without. Raises MalformedEventError."""
    found = value.get(name)
    if found is None:
        raise MalformedEventError(f"{value.get('object', 'object')} has no {name}")
    return found


def customer_ref(thing: Json) -> str:
    """Whose it is: since 14.x API versions `customer` may be null with `customer_account` set instead."""
    found = ref(thing.get("customer")) or ref(thing.get("customer_account"))
    if not found:
        raise MalformedEventError(f"{thing.get('object', 'object')} names no customer")
    return found


def subscription_of(invoice: Json) -> Any:
    """The subscription an invoice bills (id or expanded object), or None for a one-off invoice."""
    parent = invoice.get("parent") or {}
    details = parent.get("subscription_details") or {}
    return details.get("subscription") or invoice.get("subscription")


def customer_seen(customer: Json, as_of: AsOf) -> CustomerSeen:
    address = customer.get("address") or {}
    return CustomerSeen(
        customer=required(customer, "id"),
        as_of=as_of,
        email=customer.get("email") or None,
        name=customer.get("name") or None,
        locales=tuple(customer.get("preferred_locales") or ()),
        country=address.get("country"),
        test_clock=ref(customer.get("test_clock")),
        deleted=bool(customer.get("deleted")),
    )


def subscription_seen(subscription: Json, as_of: AsOf) -> SubscriptionSeen:
    items = (subscription.get("items") or {}).get("data") or []
    ends = [item["current_period_end"] for item in items if item.get("current_period_end")]
    period_end = max(ends, default=subscription.get("current_period_end"))
    price = (items[0].get("price") or {}) if items else {}
    # A date set with `cancel_at` is as deliberate as the end of the period.
    cancel_at = moment(subscription.get("cancel_at"))
    return SubscriptionSeen(
        customer=customer_ref(subscription),
        subscription=required(subscription, "id"),
        as_of=as_of,
        status=required(subscription, "status"),
        plan=price.get("nickname"),
        product=ref(price.get("product")),
        interval=_nested(price, "recurring", "interval"),
        cancel_at_period_end=bool(subscription.get("cancel_at_period_end") or cancel_at),
        period_end=cancel_at or moment(period_end),
        ended_at=moment(subscription.get("ended_at")),
        paused_for=_nested(subscription, "status_details", "paused", "subscription", "type"),
        ended_for=_nested(subscription, "cancellation_details", "reason"),
        payment_method=ref(subscription.get("default_payment_method")),
    )


def _nested(thing: Json, *path: str) -> str | None:
    found: Any = thing
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else None


def invoice_seen(invoice: Json, as_of: AsOf) -> InvoiceSeen:
    status = required(invoice, "status")
    at = invoice.get("status_transitions") or {}
    # Before basil `paid` was a field of its own; a draft has no status transitions worth reading.
    paid = status == "paid" or bool(invoice.get("paid"))
    return InvoiceSeen(
        customer=customer_ref(invoice),
        invoice=required(invoice, "id"),
        as_of=as_of,
        status=status,
        subscription=ref(subscription_of(invoice)),
        billing_reason=invoice.get("billing_reason"),
        collection_method=invoice.get("collection_method"),
        number=invoice.get("number"),
        currency=required(invoice, "currency"),
        amount_remaining=invoice.get("amount_remaining") or 0,
        amount_paid=_amount_paid(invoice),
        attempt_count=invoice.get("attempt_count") or 0,
        next_attempt_at=moment(invoice.get("next_payment_attempt")),
        paid_at=(moment(at.get("paid_at")) or as_of.at) if paid else None,
        voided_at=(moment(at.get("voided_at")) or as_of.at) if status == "void" else None,
        written_off_at=_written_off_at(invoice, status, as_of),
    )


def _amount_paid(invoice: Json) -> int:
    """Minor units of real money, paid through Stripe or past it (`paid_out_of_band`)."""
    past_stripe = invoice.get("amount_paid_off_stripe") or 0
    if invoice.get("paid_out_of_band"):
        past_stripe = max(past_stripe, invoice.get("amount_due") or 0)
    return max(invoice.get("amount_paid") or 0, past_stripe)


def _written_off_at(invoice: Json, status: str, as_of: AsOf) -> datetime | None:
    marked = moment((invoice.get("status_transitions") or {}).get("marked_uncollectible_at"))
    return (marked or as_of.at) if status == "uncollectible" or marked else None


def charge_failed(charge: Json, *, customer: str, invoice: str) -> ChargeFailed | None:
    """A line of the ledger, or None for a charge that did not fail or never reached the network.

    Radar's blocks (`network_status: not_sent_to_network`) are no attempts at the card, but the first
    of them is still why the payment failed, so it counts as the failure it is.
    """
    if charge.get("status") != "failed":
        return None
    outcome = charge.get("outcome") or {}
    if outcome.get("reason") == "previously_declined_do_not_retry":
        return None
    method = charge.get("payment_method_details") or {}
    card = method.get("card") or {}
    made_at = moment(required(charge, "created"))
    assert made_at is not None  # noqa: S101  # `required` refused null already; this tells mypy
    return ChargeFailed(
        customer=customer,
        invoice=invoice,
        charge=required(charge, "id"),
        at=made_at,
        code=charge.get("failure_code"),
        decline_code=_decline_code(charge, outcome),
        outcome_reason=outcome.get("reason"),
        advice_code=outcome.get("advice_code"),
        method_type=method.get("type"),
        card_brand=card.get("brand"),
        card_last4=card.get("last4"),
    )


def _decline_code(charge: Json, outcome: Json) -> str | None:
    """A charge has no decline_code of its own: the issuer's reason is its outcome's, if it was declined."""
    reason = outcome.get("reason")
    declined = outcome.get("type") == "issuer_declined"
    return reason if declined and isinstance(reason, str) else charge.get("decline_code")
