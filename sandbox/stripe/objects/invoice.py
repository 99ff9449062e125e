"""Invoices as Stripe sends them."""

from sandbox.stripe.ids import derived
from sandbox.stripe.objects.common import ACCOUNT_NAME, Json, list_of
from sandbox.stripe.objects.invoice_line import invoice_line
from sandbox.stripe.records import Invoice
from sandbox.stripe.versions import ApiVersion


def invoice(record: Invoice, version: ApiVersion) -> Json:
    """Old versions name subscription, intent and charge; new ones have a `parent` and hide the payments."""
    paid = record.amount_paid
    lines = [invoice_line(record, line, version) for line in record.lines]
    body: Json = {
        "id": record.id,
        "object": "invoice",
        "account_country": "US",
        "account_name": ACCOUNT_NAME,
        "account_tax_ids": None,
        "amount_due": record.total,
        "amount_overpaid": 0,
        "amount_paid": paid,
        "amount_remaining": record.total - paid,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": record.attempt_count,
        "attempted": record.attempted,
        "auto_advance": record.auto_advance,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": record.automatically_finalizes_at,
        "billing_reason": record.billing_reason,
        "collection_method": record.collection_method,
        "created": record.created,
        "currency": record.currency,
        "custom_fields": None,
        "customer": record.customer,
        "customer_address": None,
        "customer_email": record.customer_email,
        "customer_name": record.customer_name,
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": record.finalized_at,
        "ending_balance": None if record.finalized_at is None else 0,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": record.hosted_url,
        "invoice_pdf": record.hosted_url and record.hosted_url.replace("?", "/pdf?"),
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": list_of(lines, f"/v1/invoices/{record.id}/lines"),
        "livemode": False,
        "metadata": dict(record.metadata),
        "next_payment_attempt": record.next_payment_attempt,
        "number": record.number,
        "on_behalf_of": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": record.period_end,
        "period_start": record.period_start,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": record.status,
        "status_transitions": {
            "finalized_at": record.finalized_at,
            "marked_uncollectible_at": record.marked_uncollectible_at,
            "paid_at": record.paid_at,
            "voided_at": record.voided_at,
        },
        "subtotal": record.total,
        "subtotal_excluding_tax": record.total,
        "test_clock": record.test_clock,
        "total": record.total,
        "total_discount_amounts": [],
        "total_excluding_tax": record.total,
        "total_pretax_credit_amounts": [],
        "webhooks_delivered_at": record.finalized_at,
    }
    return body | (_new(record, version) if version.basil else _old(record))


def _old(record: Invoice) -> Json:
    return {
        "application_fee_amount": None,
        "charge": record.charge,
        "discount": None,
        "paid": record.status == "paid",
        "paid_out_of_band": record.paid_out_of_band,
        "payment_intent": record.payment_intent,
        "quote": None,
        "subscription": record.subscription,
        "subscription_details": {"metadata": dict(record.subscription_metadata)},
        "tax": None,
        "total_tax_amounts": [],
        "transfer_data": None,
    }


def _new(record: Invoice, version: ApiVersion) -> Json:
    body: Json = {
        "customer_account": None,
        "parent": {
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(record.subscription_metadata),
                "subscription": record.subscription,
                "subscription_proration_date": None,
            },
            "type": "subscription_details",
        },
        "threshold_reason": None,
        "total_taxes": [],
    }
    if not version.endive:
        return body
    written_off = record.uncollectible_reason
    return body | {
        "amount_paid_off_stripe": record.total if record.paid_out_of_band else 0,
        "status_details": {"uncollectible": {"reason": written_off}} if written_off else None,
    }


def confirmation_secret(record: Invoice) -> Json | None:
    """What lets a page confirm the payment; sent by new versions when it is expanded."""
    if record.payment_intent is None or record.status == "paid":
        return None
    return {"client_secret": client_secret(record.payment_intent), "type": "payment_intent"}


def client_secret(intent_id: str) -> str:
    """The intent's secret for use in a browser."""
    return f"{intent_id}_secret_{derived(intent_id, 'secret')}"
