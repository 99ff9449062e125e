"""Billing periods: a subscription that starts on the 31st renews on the last day of shorter months."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def period_start(anchor: int, interval: str, interval_count: int, number: int) -> int:
    """Unix seconds at which period `number` (0 = the first) begins.

    Months are counted from the anchor, not from the previous period: the 31st comes back after February.
    Raises KeyError for an interval other than day, week, month or year.
    """
    begin = datetime.fromtimestamp(anchor, UTC)
    steps = interval_count * number
    if interval in _DAYS:
        return int((begin + timedelta(days=_DAYS[interval] * steps)).timestamp())
    months = begin.year * 12 + begin.month - 1 + _MONTHS[interval] * steps
    year, month = divmod(months, 12)
    day = min(begin.day, monthrange(year, month + 1)[1])
    return int(begin.replace(year=year, month=month + 1, day=day).timestamp())


def seconds(moment: datetime) -> int:
    """Whole unix seconds of an aware moment; raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return int(moment.timestamp())
