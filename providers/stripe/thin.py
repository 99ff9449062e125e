"""Thin events, which name their object only: what they say is read from a snapshot, or from the object.

The full thin event names its twin (`snapshot_event`), the snapshot that tells of the same moment, with the
object as it was then and what it was before. One without a twin, or whose twin is gone (after 30 days), says
what its object is like now.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from dunning.events import AsOf
from providers.fields import Json, part, ref, text
from providers.lookup import Lookup, Normalised, ProviderUnavailableError
from providers.stripe.client import StripeApi
from providers.stripe.facts import HANDLERS, normalise, told
from providers.stripe.webhook import ONLY_THIN, THIN_PREFIX

# Where the object of an event is, by the beginning of its kind.
PATHS = {
    "invoice.": "/v1/invoices",
    "customer.subscription.": "/v1/subscriptions",
    "customer.": "/v1/customers",
    "payment_method.": "/v1/payment_methods",
    "setup_intent.": "/v1/setup_intents",
    "payment_intent.": "/v1/payment_intents",
    "charge.": "/v1/charges",
    "test_helpers.test_clock.": "/v1/test_helpers/test_clocks",
}
CHANGED = "customer.subscription.updated"
# What a subscription was before is not known: whether it is active by a payment or by a write-off is asked.
PERHAPS_BEFORE: Json = {"status": "past_due"}


async def say(api: StripeApi, lookup: Lookup) -> Normalised:
    """What the thin event says that the lookup brings. Raises ProviderUnavailableError."""
    twin = await _twin(api, lookup.ref)
    snapshot = await api.ask(api.v1.events.retrieve_async(twin)) if twin else None
    said = normalise(snapshot) if snapshot else await _of_the_object(api, lookup)
    return replace(said, twin=twin)


async def _twin(api: StripeApi, own: str) -> str | None:
    try:
        found = await api.ask(api.v2.core.events.retrieve_async(own))
    except ProviderUnavailableError as error:
        if not error.forbidden:
            raise
        # A key that may not read events may still read their objects.
        return None
    return text(found, "snapshot_event") if found else None


async def _of_the_object(api: StripeApi, lookup: Lookup) -> Normalised:
    event = lookup.event or {}
    name = ref(part(event, "related_object").get("id"))
    path = next((path for begins, path in PATHS.items() if kind_of(event).startswith(begins)), None)
    thing = await api.read(path, name) if path and name else None
    return as_it_is(event, thing, AsOf(lookup.at, read_at=datetime.now(UTC))) if thing else Normalised()


def as_it_is(event: Json, thing: Json, as_of: AsOf) -> Normalised:
    """What a thin event says by its object of now, whatever has become of that since.

    Of a method that was detached, nothing: it does not tell any more whose it was.
    """
    kind = kind_of(event)
    if kind not in HANDLERS:
        return Normalised()
    return told(kind, thing, PERHAPS_BEFORE if kind == CHANGED else {}, as_of)


def kind_of(event: Json) -> str:
    """By the name that snapshots have for it."""
    kind = (text(event, "type") or "").removeprefix(THIN_PREFIX)
    return CHANGED if kind in ONLY_THIN else kind
