"""Times as commands show them: UTC to the minute, and how far away that is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def stamp(moment: datetime) -> str:
    """`2026-03-01 12:30 UTC`"""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def hint(moment: datetime, now: datetime) -> str:
    """How far `moment` is from `now`: `in 3 days`, `5 h ago`, `now`."""
    away = span(abs(moment - now))
    if away is None:
        return "now"
    return f"in {away}" if moment > now else f"{away} ago"


def when(moment: datetime | None, now: datetime) -> str:
    """`2026-03-01 12:30 UTC (in 3 days)`; a dash for no moment."""
    return f"{stamp(moment)} ({hint(moment, now)})" if moment else "-"


def span(length: timedelta) -> str | None:
    """A length of time in its largest sensible unit, or None for less than a second."""
    seconds = int(length.total_seconds())
    if seconds < 1:
        return None
    if seconds < 100:
        return f"{seconds} s"
    if seconds < 100 * 60:
        return f"{round(seconds / 60)} min"
    if seconds < 48 * 3600:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400)} days"
