"""What the merchant's own application is told, and in which words: from a journal entry to its events.

Thin on purpose: ids, levels and dates. No address, no amount, and nothing of a decline's reason: what an
application is told may be shown to the customer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from dunning.access import Level
from dunning.account import Outcome


class EventType(StrEnum):
    """Everything an endpoint may be told."""

    ACCESS_CHANGED = "access.changed"
    CASE_OPENED = "case.opened"
    CASE_ESCALATED = "case.escalated"
    CASE_RECOVERED = "case.recovered"
    CASE_CLOSED = "case.closed"
    MAIL_BOUNCED = "mail.bounced"


@dataclass(frozen=True, slots=True)
class News:
    """One event that follows from a journal entry; `particulars` is what only its type has to say."""

    type: EventType
    particulars: dict[str, Any] = field(default_factory=dict)


# Alarms whose name is the reason of a decline. A person of the team reads which one it was.
_OF_THE_DECLINE = frozenset({"fraud", "consent_withdrawn", "merchant_side"})
DECLINED = "declined"


def news_of(kind: str, reason: str | None, data: Mapping[str, Any]) -> tuple[News, ...]:
    """The events that follow from an entry of this kind; for most kinds none.

    A case that is reopened is told as opened. One that was paid is told as recovered and as closed: who only
    wants to know that it is over need not know how cases end.
    """
    match kind:
        case "access.changed":
            return (News(EventType.ACCESS_CHANGED, _access(reason, data)),)
        case "case.opened" | "case.reopened":
            return (News(EventType.CASE_OPENED, _opening(kind == "case.reopened", data)),)
        case "team.called":
            return (News(EventType.CASE_ESCALATED, {"alarm": _alarm(str(data.get("name")))}),)
        case "case.closed":
            closed = News(EventType.CASE_CLOSED, {"outcome": reason})
            return (News(EventType.CASE_RECOVERED), closed) if reason == Outcome.RECOVERED else (closed,)
        case "mail.bounced":
            mail = str(data.get("step")).partition(":")[0]
            return (News(EventType.MAIL_BOUNCED, {"bounce": reason, "mail": mail}),)
    return ()


def _access(reason: str | None, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "access": data.get("to") != Level.REVOKED,
        "level": data.get("to"),
        "previous_level": data.get("from"),
        "reason": reason,
        "until": _moment(data.get("until")),
    }


def _opening(reopened: bool, data: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing was granted before a first payment, so there is no grace to speak of."""
    cause = data.get("cause")
    return {
        "cause": cause,
        "reopened": reopened,
        "grace_ends_at": _moment(data.get("grace_ends_at")) if cause == "renewal" else None,
    }


def _moment(text: str | None) -> str | None:
    return written(datetime.fromisoformat(text)) if text else None


def written(at: datetime) -> str:
    """An instant as all our payloads have it: ISO 8601, UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _alarm(name: str) -> str:
    """`promise_broken:2026-03-10` is a broken promise."""
    alarm = name.partition(":")[0]
    return DECLINED if alarm in _OF_THE_DECLINE else alarm


@dataclass(frozen=True, slots=True)
class About:
    """Whom and what an event is about. `sequence` counts the events of the customer from one, without gaps.

    `at` is the customer's time (an aware datetime), which for those on a test clock is that clock's.
    """

    source: str
    customer: str
    sequence: int
    at: datetime
    case: str | None = None
    subscription: str | None = None


TEST = "webhooks.test"


def trial_body(at: datetime) -> str:
    """An event that says nothing, to try an endpoint out."""
    return json.dumps({"type": TEST, "timestamp": written(at), "data": {}}, separators=(",", ":"))


def body(about: About, news: News) -> str:
    """The event as the JSON text that is signed and sent."""
    data = {
        "source": about.source,
        "customer": about.customer,
        "sequence": about.sequence,
        "case": about.case,
        "subscription": about.subscription,
        **news.particulars,
    }
    said = {"type": news.type, "timestamp": written(about.at), "data": data}
    return json.dumps(said, separators=(",", ":"))
