"""One example of each event, made by the code that makes the real ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dunning.access import Level, Reason
from dunning.account import Outcome
from dunning.outgoing import About, EventType, body, news_of

_AT = datetime(2026, 11, 21, 9, 0, 2, tzinfo=UTC)
_END = datetime(2026, 12, 5, 9, tzinfo=UTC).isoformat()

# The journal entries that lead to them: kind, reason, data.
_ENTRIES: Final[tuple[tuple[str, str, Mapping[str, Any]], ...]] = (
    ("case.opened", "a renewal failed", {"cause": "renewal", "grace_ends_at": _END}),
    (
        "access.changed",
        Reason.PAYMENT_FAILED,
        {"from": Level.FULL, "to": Level.WARNED, "until": _END, "subscription": "sub_123"},
    ),
    ("team.called", "3 charges have failed", {"name": "attempts"}),
    ("mail.bounced", "hard_bounce", {"step": "payment_failed:in_123:1"}),
    ("case.closed", Outcome.RECOVERED, {}),
)


def examples() -> dict[EventType, str]:
    """Each type with a body, in the order of a case's life."""
    found: dict[EventType, str] = {}
    for kind, reason, data in _ENTRIES:
        case = None if kind == "access.changed" else "in_123"
        for news in news_of(kind, reason, data):
            about = About("stripe", "cus_123", len(found) + 1, _AT, case, "sub_123")
            found[news.type] = body(about, news)
    return found
