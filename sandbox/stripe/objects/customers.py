"""Customers and their cards as Stripe sends them."""

from sandbox.stripe.ids import derived
from sandbox.stripe.objects.common import Json, bank_account, billing_details
from sandbox.stripe.records import Customer, PaymentMethod
from sandbox.stripe.versions import ApiVersion


def customer(record: Customer, version: ApiVersion) -> Json:
    """Who pays. The event of a deletion shows the whole customer, a fetch only `deleted_customer`."""
    body: Json = {
        "id": record.id,
        "object": "customer",
        "address": None
        if record.country is None
        else {
            "city": None,
            "country": record.country,
            "line1": None,
            "line2": None,
            "postal_code": None,
            "state": None,
        },
        "balance": 0,
        "created": record.created,
        "currency": record.currency,
        "default_source": None,
        "delinquent": record.delinquent,
        "description": record.description,
        "discount": None,
        "email": record.email,
        "invoice_prefix": record.invoice_prefix,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": record.default_payment_method,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": dict(record.metadata),
        "name": record.name,
        "next_invoice_sequence": record.next_invoice_sequence,
        "phone": record.phone,
        "preferred_locales": list(record.preferred_locales),
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": record.test_clock,
    }
    if version.basil:
        body |= {"business_name": None, "customer_account": None, "individual_name": None}
    return body


def deleted_customer(record: Customer) -> Json:
    """What is left of a deleted customer when it is fetched."""
    return {"id": record.id, "object": "customer", "deleted": True}


def payment_method(record: PaymentMethod, version: ApiVersion) -> Json:
    """A card, or a bank account under the name of its type."""
    kind = record.card.type
    body: Json = {
        "id": record.id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing_details(record.billing_name, record.billing_email, record.card.country),
        kind: _card(record) if kind == "card" else bank_account(record.card) | {"generated_from": None},
        "created": record.created,
        "customer": record.customer,
        "livemode": False,
        "metadata": dict(record.metadata),
        "type": kind,
    }
    if version.basil:
        body |= {"customer_account": None}
    return body


def _card(record: PaymentMethod) -> Json:
    card = record.card
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": derived(card.brand + card.last4, "fingerprint", 16),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
