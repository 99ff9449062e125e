"""What is said about one customer's access, by the API and by `dunning access` alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from console.banner import banner
from db.access import AccessRow
from dunning.access import Level


def answer(row: AccessRow, *, now: datetime, tags: Sequence[str] = (), zone: tzinfo = UTC) -> dict[str, Any]:
    """The answer as plain JSON values.

    `access` is the short form of `level`: true for full, warned and limited, false for revoked. What
    `limited` leaves is the application's to decide. `until` is when this level ends by itself.
    `tags` are the reader's languages; where they say nothing, the customer's own count.
    """
    text = banner(
        row.level,
        row.reason,
        row.until,
        now=row.clock or now,
        tags=[*tags, *row.locales],
        zone=zone,
    )
    return {
        "customer": row.customer,
        "access": row.level != Level.REVOKED,
        "level": row.level,
        "reason": row.reason,
        "until": _iso(row.until),
        "subscription": row.subscription,
        "changed_at": _iso(row.changed_at),
        "banner": text,
    }


def _iso(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else None
