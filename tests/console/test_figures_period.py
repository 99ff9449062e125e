"""Which months are meant: whole ones, by the merchant's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from console.figures.period import MOST_MONTHS, Period, PeriodError, period

BERLIN = ZoneInfo("Europe/Berlin")
# Still November in UTC, already December in Berlin.
NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)


def asked(first: str | None = None, last: str | None = None, months: int | None = None) -> Period:
    return period(first, last, months, now=NOW, zone=BERLIN)


@pytest.mark.parametrize(
    ("first", "last", "months", "begins", "ends"),
    [
        (None, None, None, (2026, 1), (2026, 12)),
        (None, None, 1, (2026, 12), (2026, 12)),
        (None, "2026-02", 3, (2025, 12), (2026, 2)),
        ("2025-11", "2026-01", None, (2025, 11), (2026, 1)),
        ("2026-10", None, None, (2026, 10), (2026, 12)),
    ],
)
def test_months_are_asked_for_in_several_ways(
    first: str | None, last: str | None, months: int | None, begins: tuple[int, int], ends: tuple[int, int]
) -> None:
    """From, to, how many, or nothing: the last twelve."""
    found = asked(first, last, months)
    assert (found.first, found.last) == (date(*begins, 1), date(*ends, 1))


def test_a_month_begins_at_the_merchants_midnight() -> None:
    """Also where the clocks have been changed meanwhile."""
    found = asked("2026-03", "2026-03")
    assert (found.begin.isoformat(), found.end.isoformat()) == (
        "2026-02-28T23:00:00+00:00",
        "2026-03-31T22:00:00+00:00",
    )
    assert found.month_of(NOW) == date(2026, 12, 1)
    assert list(asked("2025-12", "2026-02").months()) == [
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]


@pytest.mark.parametrize(
    ("first", "last", "months", "why"),
    [
        ("2026-3x", None, None, "no month"),
        ("2026-13", None, None, "no month"),
        ("2026-03-01", None, None, "no month"),
        ("2026-05", "2026-03", None, "later than"),
        ("2027-01", "2027-02", None, "not begun"),
        ("2026-01", None, 3, "not both"),
        ("2001-01", None, None, f"More than {MOST_MONTHS}"),
        (None, "0001-01", 12, "no such year"),
    ],
)
def test_what_is_no_period_is_refused(
    first: str | None, last: str | None, months: int | None, why: str
) -> None:
    """With the reason."""
    with pytest.raises(PeriodError, match=why):
        asked(first, last, months)
