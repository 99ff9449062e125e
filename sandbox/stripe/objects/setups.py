"""Setup intents as Stripe sends them."""

from sandbox.stripe.ids import derived
from sandbox.stripe.objects.common import Json
from sandbox.stripe.objects.payments import error_body, next_action
from sandbox.stripe.records import SetupIntent
from sandbox.stripe.versions import ApiVersion


def setup_intent(record: SetupIntent, version: ApiVersion) -> Json:
    """How a card was saved, or why it was not."""
    body: Json = {
        "id": record.id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{record.id}_secret_{derived(record.id, 'secret')}",
        "created": record.created,
        "customer": record.customer,
        "description": None,
        "flow_directions": None,
        "last_setup_error": _setup_error(record, version),
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": {},
        "next_action": next_action(record.id) if record.status == "requires_action" else None,
        "on_behalf_of": None,
        "payment_method": record.payment_method,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": record.status,
        "usage": "off_session",
    }
    if version.basil:
        body |= {"customer_account": None, "excluded_payment_method_types": None}
    if version.endive:
        body |= {"allowed_payment_method_types": None, "managed_payments": None}
    return body


def _setup_error(record: SetupIntent, version: ApiVersion) -> Json | None:
    return None if record.decline is None else error_body(record.decline, record.tried, None, version)
