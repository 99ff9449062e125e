"""Which months figures are about: whole ones, since a part of a month compares with nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

MONTHS = 12
MOST_MONTHS = 120


class PeriodError(ValueError):
    """There are no such months; the text says why."""


@dataclass(frozen=True, slots=True)
class Period:
    """The months `first` to `last`, both included, each named by its first day, in the merchant's zone."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def begin(self) -> datetime:
        """The first instant that belongs to it."""
        return _instant(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first instant that does not belong to it any more."""
        return _instant(_moved(self.last, 1), self.zone)

    def months(self) -> Iterator[date]:
        """Each month, oldest first."""
        month = self.first
        while month <= self.last:
            yield month
            month = _moved(month, 1)

    def month_of(self, moment: datetime) -> date:
        """The month in which `moment` (aware) lies by the merchant's clock."""
        return moment.astimezone(self.zone).date().replace(day=1)


def period(
    first: str | None, last: str | None, months: int | None, *, now: datetime, zone: ZoneInfo
) -> Period:
    """From month to month ("2026-03"), or `months` up to the last: by default twelve up to the present one.

    Raises PeriodError for what is no month, ends before it begins, or is asked for in two ways.
    """
    if first and months:
        raise PeriodError("Give the first month or how many months, not both.")
    present = now.astimezone(zone).date().replace(day=1)
    ends = _month(last) if last else present
    begins = _month(first) if first else _moved(ends, 1 - (months or MONTHS))
    if begins > ends:
        raise PeriodError(f"{begins:%Y-%m} is later than {ends:%Y-%m}.")
    if begins > present:
        raise PeriodError(f"{begins:%Y-%m} has not begun yet.")
    if _moved(begins, MOST_MONTHS) <= ends:
        raise PeriodError(f"More than {MOST_MONTHS} months are too many.")
    return Period(begins, ends, zone)


def _month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        raise PeriodError(f"{text!r} is no month: write it like 2026-03.") from None


def _moved(month: date, by: int) -> date:
    """The first day of the month so many months later."""
    years, index = divmod(month.month - 1 + by, 12)
    try:
        return date(month.year + years, index + 1, 1)
    except ValueError:
        raise PeriodError("There is no such year.") from None


def _instant(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
