"""Hours of the week on real clocks: to the second, over holidays, ends of months and years, clock changes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.hours import ALWAYS, Hours, parse_hours, working_days_after
from tests.dunning.more_builders import BERLIN, NEW_YORK, local, wall

OFFICE = parse_hours("mon-thu 09:00-15:00")
DAILY = parse_hours("daily 09:00-20:00")
NIGHT = parse_hours("daily 00:00-04:00")
SECOND = timedelta(seconds=1)
LAST_SECOND = "2026-03-03 14:59:59"


@pytest.mark.parametrize(
    ("at", "open_now", "then", "before"),
    [
        ("2026-03-03 08:59:59", False, "2026-03-03 09:00:00", "2026-03-02 14:59:00"),
        ("2026-03-03 09:00:00", True, "2026-03-03 09:00:00", "2026-03-03 09:00:00"),
        ("2026-03-03 09:00:01", True, "2026-03-03 09:00:01", "2026-03-03 09:00:01"),
        (LAST_SECOND, True, LAST_SECOND, LAST_SECOND),
        ("2026-03-03 15:00:00", False, "2026-03-04 09:00:00", "2026-03-03 14:59:00"),
        ("2026-03-03 15:00:01", False, "2026-03-04 09:00:00", "2026-03-03 14:59:00"),
        # Thursday evening to Monday, and Friday back to Thursday.
        ("2026-03-05 15:00:00", False, "2026-03-09 09:00:00", "2026-03-05 14:59:00"),
        ("2026-03-06 12:00:00", False, "2026-03-09 09:00:00", "2026-03-05 14:59:00"),
        ("2026-03-08 23:59:59", False, "2026-03-09 09:00:00", "2026-03-05 14:59:00"),
        # Month ends and the end of the year.
        ("2026-01-29 15:00:00", False, "2026-02-02 09:00:00", "2026-01-29 14:59:00"),
        ("2028-02-28 16:00:00", False, "2028-02-29 09:00:00", "2028-02-28 14:59:00"),
        ("2026-03-31 15:00:00", False, "2026-04-01 09:00:00", "2026-03-31 14:59:00"),
        ("2026-12-31 16:00:00", False, "2027-01-04 09:00:00", "2026-12-31 14:59:00"),
    ],
)
def test_the_next_and_the_last_open_moment(at: str, open_now: bool, then: str, before: str) -> None:
    """Opening is inclusive, closing exclusive, and the last open minute is the one before closing."""
    moment = local(at)
    assert OFFICE.open_at(moment, BERLIN) is open_now
    assert OFFICE.next_open(moment, BERLIN) == local(then)
    assert OFFICE.last_open(moment, BERLIN) == local(before)


@pytest.mark.parametrize("hours", [OFFICE, DAILY, ALWAYS], ids=str)
def test_holidays_are_closed_whatever_the_hours(hours: Hours) -> None:
    """Over Christmas nobody is mailed or locked out, even where every hour of every day is open."""
    holidays = {date(2026, 12, 24), date(2026, 12, 25)}
    eve = local("2026-12-24 10:00")
    assert not hours.open_at(eve, BERLIN, holidays)
    assert hours.next_open(eve, BERLIN, holidays) >= local("2026-12-26 00:00")
    assert hours.last_open(eve, BERLIN, holidays) < local("2026-12-24 00:00")
    assert hours.open_at(hours.next_open(eve, BERLIN, holidays), BERLIN, holidays)
    assert hours.open_at(hours.last_open(eve, BERLIN, holidays), BERLIN, holidays)


def test_a_holiday_is_a_day_of_the_zone() -> None:
    """In Tokyo the day has ended while it still goes on in New York."""
    tokyo, holidays = ZoneInfo("Asia/Tokyo"), {date(2026, 5, 4)}
    moment = datetime(2026, 5, 4, 16, tzinfo=UTC)
    assert ALWAYS.open_at(moment, tokyo, holidays)
    assert not ALWAYS.open_at(moment, NEW_YORK, holidays)


def test_who_never_opens_holds_nobody_up_for_ever() -> None:
    """A policy full of holidays must not stop the program."""
    moment = local("2026-03-03 10:00")
    closed = {date(2025, 1, 1) + timedelta(days=each) for each in range(1000)}
    assert OFFICE.next_open(moment, BERLIN, closed) == moment
    assert OFFICE.last_open(moment, BERLIN, closed) == moment


@pytest.mark.parametrize(
    ("zone", "evening", "offset_before", "offset_after"),
    [
        (BERLIN, "2026-03-28 20:00", 1, 2),
        (BERLIN, "2026-10-24 20:00", 2, 1),
        (NEW_YORK, "2026-03-07 20:00", -5, -4),
        (NEW_YORK, "2026-10-31 20:00", -4, -5),
    ],
)
def test_nine_in_the_morning_is_nine_after_a_clock_change(
    zone: ZoneInfo, evening: str, offset_before: int, offset_after: int
) -> None:
    """The night is an hour shorter or longer; the clock on the wall decides."""
    moment = local(evening, zone)
    morning = DAILY.next_open(moment, zone)
    assert moment.astimezone(zone).utcoffset() == timedelta(hours=offset_before)
    assert morning.astimezone(zone).utcoffset() == timedelta(hours=offset_after)
    assert (morning.astimezone(zone).hour, morning - moment) == (
        9,
        timedelta(hours=13 - (offset_after - offset_before)),
    )
    assert DAILY.last_open(morning - SECOND, zone) == moment - timedelta(minutes=1)


def test_an_hour_that_is_skipped_opens_as_soon_as_the_clock_shows_more() -> None:
    """At 02:00 in Berlin it is 03:00 at once."""
    early = parse_hours("daily 02:00-05:00")
    opening = early.next_open(local("2026-03-29 00:30"), BERLIN)
    assert wall(opening) == "Sun 29 Mar 03:00"
    assert early.open_at(opening, BERLIN)
    assert not early.open_at(opening - SECOND, BERLIN)


def test_an_hour_that_is_repeated_is_open_both_times() -> None:
    """02:30 comes twice in Berlin on the last Sunday of October; the opening is the first of them."""
    early = parse_hours("daily 02:15-02:45")
    first, second = (local("2026-10-25 02:30", fold=fold) for fold in (0, 1))
    assert second - first == timedelta(hours=1)
    assert early.open_at(first, BERLIN)
    assert early.open_at(second, BERLIN)
    assert early.next_open(local("2026-10-25 01:00"), BERLIN) == local("2026-10-25 02:15")
    assert NIGHT.open_at(second, BERLIN)


def test_hours_within_the_hour_that_is_skipped_wait_for_the_next_day() -> None:
    """02:15 to 02:45 does not come in that night in Berlin: nothing is done at another hour instead."""
    early = parse_hours("daily 02:15-02:45")
    assert early.next_open(local("2026-03-29 00:30"), BERLIN) == local("2026-03-30 02:15")
    assert early.last_open(local("2026-03-29 12:00"), BERLIN) == local("2026-03-28 02:44")


@pytest.mark.parametrize("hours", [OFFICE, DAILY, NIGHT], ids=str)
@pytest.mark.parametrize("first", ["2026-03-20", "2026-10-16", "2026-12-20"])
def test_the_next_opening_is_never_before_and_none_is_passed_over(hours: Hours, first: str) -> None:
    """A fortnight around each change of clocks and the end of the year, a quarter of an hour at a time."""
    holidays = {date(2026, 12, 24), date(2026, 12, 25), date(2027, 1, 1)}
    quarters = [local(first) + number * timedelta(minutes=15) for number in range(14 * 96)]
    coming: datetime | None = None
    for moment in reversed(quarters):
        coming = moment if hours.open_at(moment, BERLIN, holidays) else coming
        found = hours.next_open(moment, BERLIN, holidays)
        assert found >= moment
        assert hours.open_at(found, BERLIN, holidays)
        assert coming is None or found == coming


@pytest.mark.parametrize(
    ("at", "number", "then"),
    [
        ("2026-03-03 10:00", 0, "2026-03-03 10:00"),
        ("2026-03-03 10:00", 3, "2026-03-06 10:00"),
        ("2026-03-05 10:00", 3, "2026-03-10 10:00"),
        ("2026-03-07 10:00", 1, "2026-03-09 10:00"),
        ("2026-03-08 23:59", 3, "2026-03-11 23:59"),
        ("2026-01-29 08:00", 3, "2026-02-03 08:00"),
        # Good Friday and Easter Monday, over the change of clocks a week earlier.
        ("2026-04-01 18:00", 3, "2026-04-08 18:00"),
        ("2026-03-27 02:30", 1, "2026-03-30 02:30"),
        ("2026-12-23 12:00", 3, "2026-12-30 12:00"),
    ],
)
def test_working_days_are_counted_without_weekends_and_holidays(at: str, number: int, then: str) -> None:
    """The same time on the wall, so many working days later."""
    holidays = [date(2026, 4, 3), date(2026, 4, 6), date(2026, 12, 24), date(2026, 12, 25)]
    assert working_days_after(local(at), number, BERLIN, holidays) == local(then)


def test_working_days_are_those_of_the_zone() -> None:
    """Friday evening in New York is Saturday in Berlin, and counts as Friday."""
    friday = local("2026-03-06 20:00", NEW_YORK)
    assert working_days_after(friday, 1, NEW_YORK) == local("2026-03-09 20:00", NEW_YORK)
    assert wall(working_days_after(friday, 1, BERLIN)) == "Mon 09 Mar 02:00"
