"""A webhook endpoint as its billing system lists it."""

from __future__ import annotations

from dataclasses import dataclass

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`version` of the API is None where it follows the account's own; of `events`, "*" stands for all."""

    url: str
    enabled: bool
    version: str | None
    events: frozenset[str]

    def hears(self, event_type: str) -> bool:
        return EVERYTHING in self.events or event_type in self.events


def subscribed(events: object) -> frozenset[str]:
    """The event types of a list as it was answered; anything else is none."""
    return frozenset(map(str, events)) if isinstance(events, list) else frozenset()
