"""Hours of the week in somebody's own time zone: when mails may arrive, and when access may be taken.

Written "mon-fri 08:00-18:00", "daily 09:00-20:00" or "always". Local times that a clock change skips or
repeats are taken as the zone's database gives them (PEP 495, the earlier of two).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
A_DAY = timedelta(days=1)
# Whoever closes for longer than this is closed for good.
LONGEST_CLOSURE = 366
# Of summer time, where it is longest.
LONGEST_CLOCK_CHANGE = timedelta(hours=1)

_TEXT = re.compile(r"(?:([a-z,-]+)\s+)?(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)")
_CURE = 'write days and times: "mon-fri 08:00-18:00", "daily 09:00-20:00" or "always"'

Holidays = Collection[date]


@dataclass(frozen=True, slots=True)
class Hours:
    """`days` count from Monday, 0; `opens` and `closes` (exclusive) are minutes of the local day."""

    days: frozenset[int]
    opens: int
    closes: int

    def __str__(self) -> str:
        if self == ALWAYS:
            return "always"
        return f"{_spell(sorted(self.days))} {_clock(self.opens)}-{_clock(self.closes)}"

    def open_at(self, moment: datetime, zone: tzinfo, holidays: Holidays = ()) -> bool:
        local = moment.astimezone(zone)
        return self.works(local.date(), holidays) and self.opens <= _minute(local) < self.closes

    def next_open(self, moment: datetime, zone: tzinfo, holidays: Holidays = ()) -> datetime:
        """`moment` itself while it is open, else the next opening, UTC."""
        return _next_open(self, moment, zone, frozenset(holidays))

    def last_open(self, moment: datetime, zone: tzinfo, holidays: Holidays = ()) -> datetime:
        """`moment` itself while it is open, else the last minute before it that was, UTC."""
        return _last_open(self, moment, zone, frozenset(holidays))

    def after(self, moment: datetime, span: timedelta, zone: tzinfo, holidays: Holidays = ()) -> datetime:
        """The moment by which it has been open for `span` since `moment`, UTC."""
        day, left = moment.astimezone(zone).date(), span
        for _ in range(LONGEST_CLOSURE):
            opens = max(moment, _at(day, self.opens, zone))
            closes = _at(day, self.closes - 1, zone) + timedelta(minutes=1)
            if self.works(day, holidays) and opens < closes:
                if left < closes - opens:
                    return opens + left
                left -= closes - opens
            day += A_DAY
        return moment + span

    @property
    def length(self) -> timedelta:
        """Of a day on which it opens."""
        return timedelta(minutes=self.closes - self.opens)

    def works(self, day: date, holidays: Holidays) -> bool:
        """Whether it opens on that day at all."""
        return day.weekday() in self.days and day not in holidays

    def longest_closure(self, holidays: Holidays = ()) -> timedelta:
        """No less than the longest time for which it stays closed, in any zone."""
        if self == ALWAYS and not holidays:
            return timedelta(0)
        week = [date(2001, 1, day) for day in range(1, 8)]  # a Monday first
        closed = max(
            *(self._closed_around(day, ()) for day in week),
            *(self._closed_around(day, holidays) for day in holidays),
        )
        between = timedelta(minutes=24 * 60 - self.closes + self.opens + 1)
        return closed * A_DAY + between + LONGEST_CLOCK_CHANGE

    def _closed_around(self, day: date, holidays: Holidays) -> int:
        """How many days in a row it is closed, this one among them."""
        found = 0
        for step in (-A_DAY, A_DAY):
            other = day
            while not self.works(other, holidays) and found <= 2 * LONGEST_CLOSURE:
                other, found = other + step, found + 1
        return found


ALWAYS = Hours(frozenset(range(7)), 0, 24 * 60)
WORKING_DAYS = Hours(frozenset(range(5)), 0, 24 * 60)


# A plan asks for the same moments again and again, and so does the plan after it.
@lru_cache(maxsize=2_048)
def _next_open(hours: Hours, moment: datetime, zone: tzinfo, holidays: frozenset[date]) -> datetime:
    if hours.open_at(moment, zone, holidays):
        return moment
    day = moment.astimezone(zone).date()
    for _ in range(LONGEST_CLOSURE):
        opening = _at(day, hours.opens, zone)
        # Hours that lie within the hour a clock change skips do not open on that day.
        if opening >= moment and hours.open_at(opening, zone, holidays):
            return opening
        day += A_DAY
    return moment


@lru_cache(maxsize=2_048)
def _last_open(hours: Hours, moment: datetime, zone: tzinfo, holidays: frozenset[date]) -> datetime:
    if hours.open_at(moment, zone, holidays):
        return moment
    day = moment.astimezone(zone).date()
    for _ in range(LONGEST_CLOSURE):
        closing = _at(day, hours.closes - 1, zone)
        if closing <= moment and hours.open_at(closing, zone, holidays):
            return closing
        day -= A_DAY
    return moment


def working_days_after(moment: datetime, number: int, zone: tzinfo, holidays: Holidays = ()) -> datetime:
    """The same local time so many working days (Monday to Friday, no holiday) later, UTC."""
    return _working_days_after(moment, number, zone, frozenset(holidays))


@lru_cache(maxsize=2_048)
def _working_days_after(moment: datetime, number: int, zone: tzinfo, holidays: frozenset[date]) -> datetime:
    local = moment.astimezone(zone)
    day, left = local.date(), number
    while left > 0:
        day += A_DAY
        left -= WORKING_DAYS.open_at(_at(day, 12 * 60, zone), zone, holidays)
    return datetime.combine(day, local.time(), zone).astimezone(UTC)


def _at(day: date, minute: int, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(*divmod(minute, 60)), zone).astimezone(UTC)


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute


def _clock(minute: int) -> str:
    return "{:02}:{:02}".format(*divmod(minute, 60))


def _spell(days: list[int]) -> str:
    if len(days) == len(DAYS):
        return "daily"
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{DAYS[days[0]]}-{DAYS[days[-1]]}"
    return ",".join(DAYS[day] for day in days)


def parse_hours(text: str) -> Hours:
    """Hours from text. Raises ValueError for text that names none."""
    text = text.strip().lower()
    if text == "always":
        return ALWAYS
    found = _TEXT.fullmatch(text)
    if not found:
        raise ValueError(_CURE)
    opens, closes = int(found[2]) * 60 + int(found[3]), int(found[4]) * 60 + int(found[5])
    if not opens < closes <= 24 * 60 or int(found[3]) > 59 or int(found[5]) > 59:
        raise ValueError(f"the day must open before it closes, at 24:00 at the latest; {_CURE}")
    return Hours(_days(found[1] or "daily"), opens, closes)


def _days(text: str) -> frozenset[int]:
    if text == "daily":
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f"days are {', '.join(DAYS)}, or a span such as mon-thu; {_CURE}")
        start, end = DAYS.index(first), DAYS.index(last or first)
        days |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    return frozenset(days)


def _read(value: object) -> object:
    if isinstance(value, Hours):
        return value
    if not isinstance(value, str):
        raise ValueError(_CURE)
    return parse_hours(value)


HoursField = Annotated[Hours, BeforeValidator(_read), PlainSerializer(str, return_type=str)]
