"""Payment intents, invoice payments, and the reasons they failed, as Stripe sends them."""

from sandbox.stripe.declines import Decline
from sandbox.stripe.ids import derived
from sandbox.stripe.objects.common import Json
from sandbox.stripe.objects.customers import payment_method
from sandbox.stripe.objects.invoice import client_secret
from sandbox.stripe.records import InvoicePayment, PaymentError, PaymentIntent, PaymentMethod
from sandbox.stripe.versions import ApiVersion


def payment_intent(record: PaymentIntent, version: ApiVersion) -> Json:
    """New versions do not say which invoice an intent pays."""
    body: Json = {
        "id": record.id,
        "object": "payment_intent",
        "amount": record.amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": record.amount if record.status == "succeeded" else 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": record.canceled_at,
        "cancellation_reason": record.cancellation_reason,
        "capture_method": "automatic",
        "client_secret": client_secret(record.id),
        "confirmation_method": "automatic",
        "created": record.created,
        "currency": record.currency,
        "customer": record.customer,
        "description": record.description,
        "last_payment_error": payment_error(record.error, version) if record.error else None,
        "latest_charge": record.latest_charge,
        "livemode": False,
        "metadata": {},
        "next_action": next_action(record.id) if record.status == "requires_action" else None,
        "on_behalf_of": None,
        "payment_method": record.payment_method,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
                "setup_future_usage": "off_session",
            }
        },
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": "off_session",
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": record.status,
        "transfer_data": None,
        "transfer_group": None,
    }
    if not version.basil:
        return body | {"invoice": record.invoice}
    body |= {
        "customer_account": None,
        "excluded_payment_method_types": None,
        "payment_details": None,
    }
    if version.endive:
        body |= {
            "allowed_payment_method_types": None,
            "hooks": None,
            "managed_payments": None,
            "payment_record": None,
            "presentment_details": None,
        }
    return body


def payment_error(error: PaymentError, version: ApiVersion) -> Json:
    """Why the last try failed."""
    return error_body(error.decline, error.payment_method, error.charge, version)


def error_body(decline: Decline, method: PaymentMethod, charge: str | None, version: ApiVersion) -> Json:
    """Stripe leaves out what it does not know instead of sending null."""
    page = decline.code.replace("_", "-")
    body: Json = {
        "advice_code": decline.advice_code,
        "charge": charge,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "doc_url": f"https://stripe.com/docs/error-codes/{page}",
        "message": decline.message,
        "network_advice_code": decline.network_advice_code,
        "network_decline_code": decline.network_decline_code,
        "payment_method": payment_method(method, version),
        "payment_method_type": method.card.type if version.endive else None,
        "type": decline.type,
    }
    return {key: value for key, value in body.items() if value is not None}


def next_action(intent_id: str) -> Json:
    """What a page has to do about 3D Secure."""
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {
            "directory_server_encryption": None,
            "source": f"payatt_{derived(intent_id, 'attempt')}",
            "type": "three_d_secure_redirect",
        },
    }


def invoice_payment(record: InvoicePayment, version: ApiVersion) -> Json:
    """The only way from an intent to its invoice in new versions."""
    body: Json = {
        "id": record.id,
        "object": "invoice_payment",
        "amount_paid": record.amount_paid,
        "amount_requested": record.amount_requested,
        "created": record.created,
        "currency": record.currency,
        "invoice": record.invoice,
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": record.payment_intent, "type": "payment_intent"},
        "status": record.status,
        "status_transitions": {"canceled_at": record.canceled_at, "paid_at": record.paid_at},
    }
    return body
