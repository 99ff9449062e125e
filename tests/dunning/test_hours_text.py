"""Hours of the week as people write them."""

import pytest
from pydantic import TypeAdapter, ValidationError

from dunning.hours import ALWAYS, Hours, HoursField, parse_hours

READ = TypeAdapter[Hours](HoursField)
CURE = 'write days and times: "mon-fri 08:00-18:00", "daily 09:00-20:00" or "always"'
ORDER = f"the day must open before it closes, at 24:00 at the latest; {CURE}"
DAYS = f"days are mon, tue, wed, thu, fri, sat, sun, or a span such as mon-thu; {CURE}"


@pytest.mark.parametrize(
    ("text", "days", "opens", "closes", "spelled"),
    [
        ("mon-fri 08:00-18:00", "01234", 480, 1080, "mon-fri 08:00-18:00"),
        ("mon-thu 09:00-15:00", "0123", 540, 900, "mon-thu 09:00-15:00"),
        ("daily 09:00-20:00", "0123456", 540, 1200, "daily 09:00-20:00"),
        ("mon-sun 9:00-20:00", "0123456", 540, 1200, "daily 09:00-20:00"),
        ("09:00-20:00", "0123456", 540, 1200, "daily 09:00-20:00"),
        ("  MON-FRI   8:05 - 18:50 ", "01234", 485, 1130, "mon-fri 08:05-18:50"),
        ("sat 00:00-24:00", "5", 0, 1440, "sat 00:00-24:00"),
        ("sun 23:59-24:00", "6", 1439, 1440, "sun 23:59-24:00"),
        ("mon,wed,fri 09:00-12:00", "024", 540, 720, "mon,wed,fri 09:00-12:00"),
        ("mon,tue 09:00-12:00", "01", 540, 720, "mon,tue 09:00-12:00"),
        ("mon-tue 09:00-12:00", "01", 540, 720, "mon,tue 09:00-12:00"),
        ("fri-mon 09:00-12:00", "0456", 540, 720, "mon,fri,sat,sun 09:00-12:00"),
        ("sat-tue,thu 09:00-12:00", "01356", 540, 720, "mon,tue,thu,sat,sun 09:00-12:00"),
        ("mon,mon 09:00-12:00", "0", 540, 720, "mon 09:00-12:00"),
        ("always", "0123456", 0, 1440, "always"),
        (" Always ", "0123456", 0, 1440, "always"),
        ("daily 00:00-24:00", "0123456", 0, 1440, "always"),
    ],
)
def test_hours_are_read_and_spelled(text: str, days: str, opens: int, closes: int, spelled: str) -> None:
    """What is shown can be written again and means the same."""
    found = parse_hours(text)
    assert found == Hours(frozenset(map(int, days)), opens, closes)
    assert str(found) == spelled
    assert parse_hours(spelled) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", CURE),
        ("never", CURE),
        ("mon-fri", CURE),
        ("mon-fri 8-18", CURE),
        ("mon-fri 08:00", CURE),
        ("mon - fri 08:00-18:00", CURE),
        ("mon-fri 08:00-18:00 UTC", CURE),
        ("mon-fri 08:00-12:00, 13:00-18:00", CURE),
        ("daily 09:00-09:00", ORDER),
        ("daily 20:00-09:00", ORDER),
        ("daily 09:00-24:01", ORDER),
        ("daily 25:00-26:00", ORDER),
        ("daily 08:60-10:00", ORDER),
        ("daily 08:00-10:75", ORDER),
        ("moon 09:00-12:00", DAYS),
        ("mon- 09:00-12:00", DAYS),
        ("-fri 09:00-12:00", DAYS),
        ("mon-wed-fri 09:00-12:00", DAYS),
        ("mon, 09:00-12:00", DAYS),
        ("mon,daily 09:00-12:00", DAYS),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_cure(text: str, message: str) -> None:
    """Half a span of days is a mistake, not a single day."""
    with pytest.raises(ValueError, match=r".") as raised:
        parse_hours(text)
    assert str(raised.value) == message


@pytest.mark.parametrize("value", [9, None, ["mon"], {"days": [0], "opens": 900, "closes": 100}])
def test_only_text_is_read(value: object) -> None:
    """A table of numbers would go around every check."""
    with pytest.raises(ValidationError, match="write days and times"):
        READ.validate_python(value)


def test_hours_travel_as_text() -> None:
    """A stored policy keeps what a person would write."""
    found = parse_hours("mon-thu 09:00-15:00")
    assert READ.dump_json(found) == b'"mon-thu 09:00-15:00"'
    assert READ.validate_json(READ.dump_json(found)) == found
    assert READ.validate_python(ALWAYS) is ALWAYS
