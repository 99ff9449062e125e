"""Events as Stripe sends them."""

from typing import Any

from sandbox.stripe.objects.common import Json
from sandbox.stripe.records import Event
from sandbox.stripe.versions import ApiVersion


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
