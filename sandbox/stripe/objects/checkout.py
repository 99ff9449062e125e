"""Checkout sessions as Stripe sends them."""

from sandbox.stripe.objects.catalogue import price
from sandbox.stripe.objects.common import Json, list_of
from sandbox.stripe.records import CheckoutSession, LineItem
from sandbox.stripe.versions import ApiVersion


def checkout_session(record: CheckoutSession, version: ApiVersion) -> Json:
    """What is bought is only sent when asked for, as `line_items`."""
    bought = record.total if record.line_items else None
    due = record.total if record.charges else 0
    body: Json = {
        "id": record.id,
        "object": "checkout.session",
        "adaptive_pricing": None,
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": bought and due,
        "amount_total": bought and due,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": record.cancel_url,
        "client_reference_id": record.client_reference_id,
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": record.created,
        "currency": record.currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        ),
        "customer": record.customer,
        "customer_creation": None,
        "customer_details": None,
        "customer_email": None,
        "discounts": [],
        "expires_at": record.expires_at,
        "invoice": record.invoice,
        "invoice_creation": None,
        "livemode": False,
        "locale": record.locale,
        "metadata": dict(record.metadata),
        "mode": record.mode,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "always" if record.mode == "subscription" else "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": record.payment_status,
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": record.setup if record.mode == "setup" else None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": record.status,
        "submit_type": None,
        "subscription": record.subscription,
        "success_url": record.success_url,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
        if record.line_items
        else None,
        "ui_mode": "hosted_page" if version.endive else "hosted",
        "url": record.url if record.status == "open" else None,
    }
    if version.basil:
        body |= {"customer_account": None, "origin_context": None, "wallet_options": None}
    if version.endive:
        body |= {"branding_settings": None, "integration_identifier": None, "managed_payments": None}
    return body


def line_items(record: CheckoutSession, version: ApiVersion) -> Json:
    """What is bought, with its price."""
    items = [_line_item(item, version) for item in record.line_items]
    return list_of(items, f"/v1/checkout/sessions/{record.id}/line_items")


def _line_item(item: LineItem, version: ApiVersion) -> Json:
    return {
        "id": item.id,
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": item.amount,
        "amount_tax": 0,
        "amount_total": item.amount,
        "currency": item.price.currency,
        "description": item.price.product_name,
        "price": price(item.price, version),
        "quantity": item.quantity,
    }
