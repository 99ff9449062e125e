"""What Stripe says has happened, whether or not it was ever delivered: pages of its list of events.

Asked for by `created` alone: a failed delivery is retried for days, and what `delivery_success` says of it is
of no use to somebody who lost it after a 200 (docs: Event, List all events; kept for 30 days).
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from providers.envelope import BadEnvelope
from providers.fields import Json, flag, parts, ref
from providers.mirror import EventPage, Told
from providers.stripe import webhook as stripe_webhook
from providers.stripe.listing import A_PAGE, PacedApi

KEPT_FOR = timedelta(days=30)


async def page(api: PacedApi, since: datetime, after: str | None) -> EventPage:
    """A hundred events made since then, the newest first. Raises ProviderUnavailableError or RefusedError."""
    wanted: Any = {"limit": A_PAGE, "created": {"gte": int(since.timestamp())}}
    if after:
        wanted["starting_after"] = after
    found = await api.pace.patiently(lambda: api.have_done(api.v1.events.list_async(wanted)))
    listed = parts(found, "data")
    told = [read for each in listed if (read := _read(each))]
    return EventPage(told, len(listed), ref(listed[-1]) if listed and flag(found, "has_more") else None)


def _read(event: Json) -> Told | None:
    # The library reads some amounts as decimals, which Stripe writes as text.
    body = json.dumps(event, default=str).encode()
    try:
        envelope = stripe_webhook.envelope(body)
    except BadEnvelope:
        return None
    return Told(envelope, body) if envelope.disposition == "pending" else None
