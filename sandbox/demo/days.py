"""The demo's calendar: thirty-one days in a row, numbered from the day on which the renewals fail."""

from datetime import UTC, datetime, timedelta

# January has 31 days, so a subscription of 1 December renews on day 0 and then not before day 31.
DAY_ZERO = datetime(2026, 1, 1, tzinfo=UTC)
LAST_DAY = 30
# Stripe drafts a renewal's invoice now and charges it an hour later, in the morning.
RENEWAL = timedelta(hours=8)
MORNING = timedelta(hours=9)
# When people get round to paying.
EVENING = timedelta(hours=19)
MIDNIGHT = timedelta(days=1)


def at(day: int, time: timedelta) -> datetime:
    """The moment `time` after the midnight that begins a day."""
    return DAY_ZERO + timedelta(days=day) + time


def day_of(moment: datetime) -> int:
    """The number of the day a moment falls on."""
    return (moment - DAY_ZERO).days


def month_before(renewal_day: int) -> datetime:
    """When to subscribe, by the month, in order to renew on a day of January."""
    renewal = at(renewal_day, RENEWAL)
    return renewal.replace(year=renewal.year - 1, month=12)
