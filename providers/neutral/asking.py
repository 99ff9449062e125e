"""Who completes the events of sources that only tell: the merchant's application, by signed requests."""

from __future__ import annotations

import secrets
import time
from urllib.parse import quote, urlsplit

from outbound.addresses import Rules
from outbound.post import ForbiddenError, Poster, UnreachableError
from outbound.signing import headers
from providers.lookup import ProviderUnavailableError
from providers.neutral.application import Application, Ask
from providers.neutral.settings import EventLookups

# Seconds. An event waits for the answer, and many may.
ANSWER_WITHIN = 5.0


def application(source: str, settings: EventLookups) -> Application | None:
    """The one that the settings name for the source."""
    rules = Rules(private=settings.webhook_private_addresses, plain=not settings.livemode)
    for line in settings.event_lookups:
        named, url, *keys = line.get_secret_value().split()
        if named == source:
            return Application(asking(Poster(rules), url, keys))
    return None


def asking(poster: Poster, url: str, keys: list[str]) -> Ask:
    """Ask at `url` with `?subscription=`. Path and query are signed, as a Standard Webhook's body is."""

    async def ask(subscription: str) -> bytes | None:
        asked = f"{url}{'&' if '?' in url else '?'}subscription={quote(subscription, safe='')}"
        parts = urlsplit(asked)
        signed = f"{parts.path}?{parts.query}".encode()
        named = headers(keys, f"ask_{secrets.token_hex(12)}", int(time.time()), signed)
        try:
            page = await poster.get(asked, {**named, "accept": "application/json"}, within=ANSWER_WITHIN)
        except (ForbiddenError, UnreachableError) as error:
            raise ProviderUnavailableError(f"the application: {error}") from None
        if page.code == 404:
            return None
        if page.code != 200:
            raise ProviderUnavailableError(f"the application answers {page.code}", passing=page.code == 429)
        return page.body

    return ask
