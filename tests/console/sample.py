"""Figures of cases that no database has seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from console.figures import Figures
from console.figures.period import period
from console.figures.tally import Fate, SeenCase, Sums
from console.figures.waiting import Waits
from db.figures import AtRisk
from dunning.causes import Cause

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
# A renewal of March that was paid after three days, by hand after a mail.
PAID = SeenCase(
    month=date(2026, 3, 1),
    currency="usd",
    category="insufficient_funds",
    code="insufficient_funds",
    outcome="recovered",
    fate=Fate.RECOVERED,
    cause=Cause.MAIL,
    due=1900,
    paid=1900,
    refunded=0,
    unpaid=0,
    lasted=timedelta(days=3),
)
OPEN = replace(PAID, outcome="open", fate=Fate.OPEN, cause=None, paid=0, unpaid=1900, month=date(2026, 4, 1))
LOST = replace(PAID, outcome="ended", fate=Fate.LOST, cause=None, paid=0, lasted=timedelta(days=14))


def figures_of(*cases: SeenCase, **changes: Any) -> Figures:
    """The figures of spring, of these cases."""
    sums, waits = Sums(), Waits()
    for case in cases:
        sums.add(case)
        waits.add(case)
    values: dict[str, Any] = {
        "period": period("2026-02", "2026-04", None, now=NOW, zone=BERLIN),
        "made_at": NOW,
        "since": datetime(2026, 1, 1, tzinfo=UTC) if cases else None,
        "currency": None,
        "test_clocks": False,
        "at_risk": tuple(
            AtRisk(code, tally.open, tally.unpaid) for code, tally in sums.total.items() if tally.open
        ),
        "total": sums.total,
        "groups": sums.groups,
        "waits": waits,
        "ended": {},
        "first_payments": 0,
    }
    return Figures(**(values | changes))
