"""What Commet says of the organization itself: what our key may read, and where webhooks go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from providers.commet.client import A_PAGE, CommetApi
from providers.commet.facts import HANDLERS
from providers.endpoint import Endpoint, subscribed
from providers.fields import Json, parts, text

# By the names that Commet has for the permissions of a restricted key.
READS: Mapping[str, Callable[[CommetApi], Awaitable[object]]] = {
    "customer": lambda api: api.listed("customers", limit=1),
    # Their list has no pages.
    "subscription": lambda api: api.listed("subscriptions", status="past_due"),
    "invoice": lambda api: api.listed("invoices", limit=1),
    "transaction": lambda api: api.listed("transactions", limit=1),
}
WANTED = frozenset(HANDLERS)
# Without these somebody loses access they have paid for, keeps what they have not, or is not told.
VITAL = frozenset(
    {
        "payment.failed",
        "payment.retry_failed",
        "payment.recovered",
        "payment.received",
        "subscription.past_due",
        "subscription.canceled",
        "subscription.reactivated",
        "invoice.voided",
    }
)


async def endpoints(api: CommetApi) -> list[Endpoint]:
    """Raises ProviderUnavailableError, which is `forbidden` where the key may not read them."""
    answer = await api.listed("webhooks", limit=A_PAGE)
    return [_endpoint(each) for each in parts(answer, "data")]


def _endpoint(known: Json) -> Endpoint:
    return Endpoint(
        url=text(known, "url") or "",
        enabled=known.get("is_active") is True,
        version=text(known, "api_version"),
        events=subscribed(known.get("events")),
    )
