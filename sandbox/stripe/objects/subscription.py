"""Subscriptions as Stripe sends them."""

from sandbox.stripe.objects import catalogue
from sandbox.stripe.objects.common import Json, list_of
from sandbox.stripe.records import Subscription, SubscriptionItem
from sandbox.stripe.versions import ApiVersion


def subscription(record: Subscription, version: ApiVersion) -> Json:
    """Old versions have the period on the subscription, new ones on each item."""
    items = [_item(record, item, version) for item in record.items]
    body: Json = {
        "id": record.id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": record.anchor,
        "billing_cycle_anchor_config": None,
        "billing_thresholds": None,
        "cancel_at": record.cancel_at,
        "cancel_at_period_end": record.cancel_at_period_end,
        "canceled_at": record.canceled_at,
        "cancellation_details": _cancellation(record, version),
        "collection_method": record.collection_method,
        "created": record.created,
        "currency": record.currency,
        "customer": record.customer,
        "days_until_due": None,
        "default_payment_method": record.default_payment_method,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": record.ended_at,
        "invoice_settings": _invoice_settings(version),
        "items": list_of(items, f"/v1/subscription_items?subscription={record.id}"),
        "latest_invoice": record.latest_invoice,
        "livemode": False,
        "metadata": dict(record.metadata),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": {"behavior": record.pause_collection, "resumes_at": None}
        if record.pause_collection
        else None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "on_subscription" if record.save_default_payment_method else "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": record.created,
        "status": record.status,
        "test_clock": record.test_clock,
        "transfer_data": None,
        "trial_end": record.trial_end,
        "trial_settings": {"end_behavior": _trial_end_behavior(version)},
        "trial_start": record.trial_start,
    }
    return body | (_new(record, version) if version.basil else _old(record, version))


def _old(record: Subscription, version: ApiVersion) -> Json:
    first = record.items[0]
    return {
        "current_period_end": record.current_period_end,
        "current_period_start": record.current_period_start,
        "discount": None,
        "plan": catalogue.plan(first.price, version) if len(record.items) == 1 else None,
        "quantity": first.quantity if len(record.items) == 1 else None,
    }


def _new(record: Subscription, version: ApiVersion) -> Json:
    classic: Json = {"flexible": None, "type": "classic", "updated_at": None}
    body: Json = {"billing_mode": classic, "customer_account": None}
    if not version.endive:
        return body
    # Only flexible billing mode can pause, on request or by itself after a failed payment.
    flexible: Json = {
        "flexible": {"proration_discounts": "included"},
        "type": "flexible",
        "updated_at": record.created,
    }
    return body | {
        "billing_mode": flexible if record.billing_mode == "flexible" else classic,
        "billing_schedules": [],
        "managed_payments": {"enabled": False},
        "presentment_details": None,
        "status_details": _status_details(record),
    }


def _status_details(record: Subscription) -> Json | None:
    if record.paused_for is None:
        return None
    return {
        "paused": {
            "subscription": {"type": record.paused_for},
            "transitioned_at": record.paused_at,
            "type": "subscription",
        }
    }


def _item(record: Subscription, item: SubscriptionItem, version: ApiVersion) -> Json:
    body: Json = {
        "id": item.id,
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": record.created,
        "discounts": [],
        "metadata": {},
        "plan": catalogue.plan(item.price, version),
        "price": catalogue.price(item.price, version),
        "quantity": item.quantity,
        "subscription": record.id,
        "tax_rates": [],
    }
    if version.basil:
        body |= {
            "current_period_end": record.current_period_end,
            "current_period_start": record.current_period_start,
        }
    if version.endive:
        body |= {"billed_until": record.current_period_end, "current_trial": None}
    return body


def _cancellation(record: Subscription, version: ApiVersion) -> Json:
    body: Json = {
        "comment": record.cancellation_comment,
        "feedback": record.cancellation_feedback,
        "reason": record.cancellation_reason,
    }
    return body | {"feedback_option": None} if version.endive else body


def _invoice_settings(version: ApiVersion) -> Json:
    body: Json = {"account_tax_ids": None, "issuer": {"type": "self"}}
    if version.endive:
        body |= {"custom_fields": None, "description": None, "footer": None}
    return body


def _trial_end_behavior(version: ApiVersion) -> Json:
    body: Json = {"missing_payment_method": "create_invoice"}
    return body | {"billing_cycle_anchor": None} if version.endive else body
