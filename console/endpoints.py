"""The endpoints of the merchant's application as people and programs see them. No secret is in any of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """`events` are all when empty; `secrets` is how many sign. Since `failing_since` it accepts nothing."""

    endpoint: int
    url: str
    events: tuple[str, ...]
    about: str | None
    from_settings: bool
    secrets: int
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None
    failing_since: datetime | None


def endpoint_facts(one: Endpoint) -> EndpointFacts:
    """Of one of them."""
    return EndpointFacts(
        endpoint=one.id,
        url=one.url,
        events=one.types,
        about=one.about,
        from_settings=one.from_settings,
        secrets=len(one.secrets),
        created_at=one.created_at,
        disabled_at=one.disabled_at,
        disabled_why=one.disabled_why,
        failing_since=one.failing_since,
    )
