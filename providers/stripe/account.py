"""What Stripe says of the account itself: what our key may read, and where webhooks go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from providers.endpoint import Endpoint, subscribed
from providers.fields import Json, parts, text
from providers.stripe.client import StripeApi
from providers.stripe.facts import HANDLERS

ONE: Any = {"limit": 1}

# By the names that Stripe's dashboard has for the permissions of a restricted key.
READS: Mapping[str, Callable[[StripeApi], Awaitable[Any]]] = {
    "Customers": lambda api: api.ask(api.v1.customers.list_async(ONE)),
    "Subscriptions": lambda api: api.ask(api.v1.subscriptions.list_async(ONE)),
    "Products": lambda api: api.ask(api.v1.products.list_async(ONE)),
    "Invoices": lambda api: api.ask(api.v1.invoices.list_async(ONE)),
    "PaymentIntents": lambda api: api.ask(api.v1.payment_intents.list_async(ONE)),
    "Payment Methods": lambda api: api.ask(api.v1.payment_methods.list_async(ONE)),
    "Charges and Refunds": lambda api: api.ask(api.v1.charges.list_async(ONE)),
    "Events": lambda api: api.ask(api.v1.events.list_async(ONE)),
}

CLOCKS = frozenset(each for each in HANDLERS if each.startswith("test_helpers."))
# Stripe has two names for one fact, and a clock tells its time when it is ready.
SPARE = frozenset({"invoice.payment_succeeded", "test_helpers.test_clock.advancing"})
# Without these somebody loses access they have paid for, keeps what they have not, or is not told.
VITAL = frozenset(
    {
        "invoice.payment_failed",
        "invoice.paid",
        "invoice.updated",
        "invoice.voided",
        "invoice.marked_uncollectible",
        "customer.subscription.updated",
        "customer.subscription.deleted",
    }
)


def wanted_events(*, livemode: bool) -> frozenset[str]:
    """The event types an endpoint should be subscribed to."""
    return frozenset(HANDLERS) - SPARE - (CLOCKS if livemode else frozenset())


async def endpoints(api: StripeApi) -> list[Endpoint]:
    """Raises ProviderUnavailableError, which is `forbidden` where the key may not read them."""
    answer = await api.ask(api.v1.webhook_endpoints.list_async({"limit": 100})) or {}
    return [_endpoint(each) for each in parts(answer, "data")]


def _endpoint(known: Json) -> Endpoint:
    return Endpoint(
        url=text(known, "url") or "",
        enabled=known.get("status") == "enabled",
        version=text(known, "api_version"),
        events=subscribed(known.get("enabled_events")),
    )
