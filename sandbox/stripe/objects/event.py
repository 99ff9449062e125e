"""Events as Stripe sends them."""

from datetime import UTC, datetime
from typing import Any

from sandbox.stripe.objects.common import Json
from sandbox.stripe.records import Event
from sandbox.stripe.versions import ApiVersion

SNAPSHOT, THIN = "evt_", "evt_test_65"
PATHS = {
    "charge": "/v1/charges",
    "checkout.session": "/v1/checkout/sessions",
    "customer": "/v1/customers",
    "invoice": "/v1/invoices",
    "invoice_payment": "/v1/invoice_payments",
    "payment_intent": "/v1/payment_intents",
    "payment_method": "/v1/payment_methods",
    "setup_intent": "/v1/setup_intents",
    "subscription": "/v1/subscriptions",
    "test_helpers.test_clock": "/v1/test_helpers/test_clocks",
}


def event_body(event: Event, after: Json, before: Json | None, version: ApiVersion) -> Json:
    """The envelope; only `*.updated` and `*.detached` carry `previous_attributes`."""
    data: Json = {"object": after}
    if before and event.type.endswith(("updated", "detached")):
        data["previous_attributes"] = before
    return {
        "id": event.id,
        "object": "event",
        "api_version": version.name,
        "created": event.created,
        "data": data,
        "livemode": False,
        "pending_webhooks": event.pending_webhooks,
        "request": {"id": event.request.id, "idempotency_key": event.request.idempotency_key},
        "type": event.type,
    }


def thin_event(event: Event, version: ApiVersion) -> Json:
    """The same as a notification of the newer kind, which has no version: its object is named, not shown."""
    subject = event.subject
    return {
        "id": thin_id(event.id),
        "object": "v2.core.event",
        "type": f"v1.{event.type}",
        "created": datetime.fromtimestamp(event.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.123Z"),
        "livemode": False,
        "related_object": {
            "id": subject.id,
            "type": subject.OBJECT,
            "url": f"{PATHS[subject.OBJECT]}/{subject.id}",
        },
    }


def full_thin_event(event: Event, version: ApiVersion) -> Json:
    """As it is read back: with the snapshot that tells the same."""
    return thin_event(event, version) | {"context": None, "changes": None, "snapshot_event": event.id}


def thin_id(event_id: str) -> str:
    """The thin event of a snapshot has an id of its own."""
    return f"{THIN}{event_id.removeprefix(SNAPSHOT)}"


def snapshot_id(event_id: str) -> str:
    """The other way round."""
    return f"{SNAPSHOT}{event_id.removeprefix(THIN)}"


def changed_attributes(before: Json, after: Json) -> Json:
    """The former values of what differs: of objects only the differing members, of lists all of it."""
    changes: dict[str, Any] = {}
    for key, old in before.items():
        new = after.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            changes[key] = changed_attributes(old, new)
        else:
            changes[key] = old
    return changes | {key: None for key in after if key not in before}
