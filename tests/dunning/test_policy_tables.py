"""Tables in the policy file: ladders, retries, and segments that change a part of one."""

from datetime import date, timedelta

import pytest

from dunning.declines import Category
from dunning.ladders import Ladder, RetrySchedule
from dunning.policy_file import PolicyFileError, read_policy

CATEGORIES = ", ".join(sorted(Ladder.model_fields))
SPAN = 'write a number and a unit: "15min", "72h", "14d" or "3w"'
HOURS = 'write days and times: "mon-fri 08:00-18:00", "daily 09:00-20:00" or "always"'
SEGMENT = '[[segment]]\nname = "a"\nwhen = { plan = "a" }\n'
OTHER = '[[segment]]\nname = "b"\nwhen = { plan = "b" }\n'
FILE = """
time_zone = "Europe/Berlin"
mail_hours = "mon-fri 08:00-18:00"
holidays = [2026-12-25, "2026-12-26"]
limited_after = "never"

[ladder]
expired_card = ["0d", "2d"]
insufficient_funds = ["36h"]

[retry]
insufficient_funds = ["payday", "8d"]

[high_value]
usd = 10000

[[segment]]
name = "one"
when = { plan = "a" }
  [segment.ladder]
  masked = []

[[segment]]
name = "two"
when = { plan = "b" }
mail_hours = "always"
retry.unknown = ["1d"]
[segment.high_value]
eur = 20000
"""


def days(*numbers: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(days=number) for number in numbers)


def problems(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(PolicyFileError) as raised:
        read_policy(text)
    return [(each.line, each.field, each.message) for each in raised.value.problems]


def test_a_table_changes_what_it_names_and_nothing_else() -> None:
    """A ladder is written for one category at a time."""
    base = read_policy(FILE).base
    assert base.ladder.of(Category.EXPIRED_CARD) == days(0, 2)
    assert base.ladder.of(Category.INSUFFICIENT_FUNDS) == days(1.5)
    assert base.ladder.of(Category.MASKED) == Ladder().masked
    assert base.retry.of(Category.INSUFFICIENT_FUNDS) == ("payday", timedelta(days=8))
    assert base.retry.of(Category.UNKNOWN) == RetrySchedule().unknown
    assert base.high_value == {"usd": 10000}
    assert base.holidays == {date(2026, 12, 25), date(2026, 12, 26)}


def test_a_segment_changes_one_category_and_keeps_the_rest_of_the_file() -> None:
    """What holds for everybody holds for a segment's other categories too."""
    one, two = (segment.policy for segment in read_policy(FILE).segments)
    assert one.ladder.of(Category.MASKED) == ()
    assert one.ladder.of(Category.EXPIRED_CARD) == days(0, 2)
    assert one.high_value == {"usd": 10000}
    assert two.ladder == read_policy(FILE).base.ladder
    assert two.retry.of(Category.UNKNOWN) == days(1)
    assert two.retry.of(Category.INSUFFICIENT_FUNDS) == ("payday", timedelta(days=8))
    assert two.high_value == {"usd": 10000, "eur": 20000}
    assert (str(one.mail_hours), str(two.mail_hours)) == ("mon-fri 08:00-18:00", "always")
    assert one.time_zone == two.time_zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "line", "field", "message"),
    [
        ('\n[ladder]\nmaskd = ["1d"]', 3, "ladder.maskd", f"is not known here; known are {CATEGORIES}"),
        (
            '[retry]\nunknown = ["1d"]\nexpired_card = ["1d"]',
            3,
            "retry.expired_card",
            "is not known here; known are bank_debit_failed, bank_declined, insufficient_funds,"
            " processing_error, unknown",
        ),
        ('[ladder]\nmasked = ["1d", "x"]', 2, "ladder.masked[1]", SPAN),
        ('[ladder]\nmasked = ["3d", "1d"]', 2, "ladder.masked", "each must be later than the one before"),
        ('[ladder]\nmasked = "1d"', 2, "ladder.masked", 'write a list, such as ["72h", "24h"]'),
        ('ladder.masked = ["x"]', 1, "ladder.masked[0]", SPAN),
        ('grace = "9d"\nladder = { masked = ["x"] }', 2, "ladder.masked[0]", SPAN),
        ('[retry]\nunknown = ["Friday"]', 2, "retry.unknown[0]", f'{SPAN}; or "payday"'),
        ('[retry]\nunknown = [\n  "1d",\n  "Payday",\n]', 2, "retry.unknown[1]", f'{SPAN}; or "payday"'),
        ("[high_value]\nusd = 0", 2, "high_value.usd", "input should be greater than or equal to 1"),
        ("mail_hours = 9", 1, "mail_hours", HOURS),
        ("mail_hours = { days = [0], opens = 9, closes = 1 }", 1, "mail_hours", HOURS),
        ('limited_after = "nevr"', 1, "limited_after", f'{SPAN}; or "never"'),
        (
            'time_zone = "Mars"',
            1,
            "time_zone",
            'is no time zone; write a name such as "Europe/Berlin" or "UTC"',
        ),
        ('end_action = "delete"', 1, "end_action", "input should be 'none', 'cancel', 'unpaid' or 'pause'"),
        (
            f'{SEGMENT}[segment.ladder]\nmaskd = ["1d"]',
            5,
            "segment[0].ladder.maskd",
            f"is not known here; known are {CATEGORIES}",
        ),
        (f'{SEGMENT}[segment.ladder]\nmasked = ["x"]', 5, "segment[0].ladder.masked[0]", SPAN),
        (f'{SEGMENT}retry = {{ unknown = ["x"] }}', 4, "segment[0].retry.unknown[0]", f'{SPAN}; or "payday"'),
        (f'{SEGMENT}ladder.masked = ["x"]', 4, "segment[0].ladder.masked[0]", SPAN),
        (
            f'[ladder]\nmasked = ["1d"]\n{SEGMENT}[segment.ladder]\nmasked = ["x"]',
            7,
            "segment[0].ladder.masked[0]",
            SPAN,
        ),
        (
            f'{SEGMENT}final_warnings = ["24h"]',
            1,
            "segment[0]",
            "the first final warning must come at least 72 hours before access ends",
        ),
    ],
)
def test_a_mistake_in_a_table_is_told_with_its_line_its_field_and_what_may_be_written(
    text: str, line: int, field: str, message: str
) -> None:
    """Somebody can put it right without reading code."""
    assert problems(text) == [(line, field, message)]


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        (f'[ladder]\nmasked = ["x"]\n{SEGMENT}', 2, "ladder.masked[0]"),
        (f'[ladder]\nmaskd = ["1d"]\n{SEGMENT}[segment.ladder]\nunknown = ["1d"]', 2, "ladder.maskd"),
        (f'[ladder]\nmasked = ["x"]\n{SEGMENT}[segment.ladder]\nunknown = ["1d"]', 2, "ladder.masked[0]"),
        (f"[high_value]\nusd = 0\n{SEGMENT}[segment.high_value]\neur = 1", 2, "high_value.usd"),
        (f'final_warnings = ["48h"]\n{SEGMENT}{OTHER}', 1, "the file"),
        (f'[ladder]\nmasked = ["x"]\n{SEGMENT}[segment.ladder]\nmasked = ["1d"]', 2, "ladder.masked[0]"),
    ],
)
def test_a_mistake_for_everybody_is_told_once(text: str, line: int, field: str) -> None:
    """A segment that takes it over says nothing new."""
    assert [(at, name) for at, name, _ in problems(text)] == [(line, field)]


def test_a_mistake_for_everybody_and_one_of_the_segment_are_both_told() -> None:
    """Each where it stands."""
    text = f'[ladder]\nmasked = ["x"]\n{SEGMENT}[segment.ladder]\nmasked = ["y"]'
    assert [(line, field) for line, field, _ in problems(text)] == [
        (2, "ladder.masked[0]"),
        (7, "segment[0].ladder.masked[0]"),
    ]
