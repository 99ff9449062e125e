"""The policy file: what it may say, and how a mistake in it is told."""

from datetime import timedelta

import pytest

from dunning.durations import span, spell
from dunning.policy_file import PolicyFileError, read_policy

FILE = """
grace = "10d"
mail_gap = "24h"

[[segment]]
name = "enterprise"
when = { currency = "usd", amount_at_least = 50000 }
grace = "30d"

[[segment]]
name = "annual"
when = { interval = ["year"] }
"""


def problems(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(PolicyFileError) as raised:
        read_policy(text)
    return [(each.line, each.field, each.message) for each in raised.value.problems]


def test_segments_start_from_what_holds_for_everybody() -> None:
    """A segment names only what differs."""
    book = read_policy(FILE)
    enterprise, annual = book.segments
    assert book.base.grace == timedelta(days=10)
    assert (enterprise.policy.grace, enterprise.policy.mail_gap) == (timedelta(days=30), timedelta(hours=24))
    assert annual.policy.grace == timedelta(days=10)


def test_a_key_names_the_version_and_the_segment() -> None:
    """Another text is another version, and each segment has its own name in it."""
    keys = [read_policy(text).segments[0].policy.key for text in (FILE, FILE + "# edited\n")]
    assert keys[0].endswith("/enterprise")
    assert keys[0] != keys[1]


def test_an_empty_file_means_the_defaults() -> None:
    """Nothing has to be said."""
    assert read_policy("").base.grace == timedelta(days=14)


@pytest.mark.parametrize(
    ("text", "line", "field", "words"),
    [
        ('\ngrase = "14d"', 2, "grase", "known are"),
        ("grace = 14", 1, "grace", "a number and a unit"),
        ('grace = "0d"', 1, "grace", "longer than nothing"),
        ('final_warnings = ["48h"]', 1, "the file", "72 hours"),
        ('final_warnings = ["72h", "soon"]', 1, "final_warnings[1]", "a number and a unit"),
        ('at_expiry = "deleted"', 1, "at_expiry", "'limited' or 'revoked'"),
        ("escalate_after = 0", 1, "escalate_after", "greater than or equal to 1"),
        ('key = "mine"', 1, "key", "given by the program"),
        ('[[segment]]\nwhen = {plan = "a"}', 1, "segment[0].name", "a name"),
        ('[[segment]]\nname = "a"', 1, "segment[0].when", "when it applies"),
        ('[[segment]]\nname = "a"\nwhen = {colour = "red"}', 3, "segment[0].when.colour", "known are"),
        ('[[segment]]\nname = "a"\nwhen = {amount_below = 5}', 3, "segment[0].when", "a currency"),
        ('[[segment]]\nname = "a"\nwhen = {plan = "a"}\ngrace = "x"', 4, "segment[0].grace", "a unit"),
        ('[segment]\nname = "a"', 1, "segment", "two brackets"),
        ('\nsegment = ["a"]', 2, "segment", "two brackets"),
        ("grace = ", 1, "the file", "Invalid value"),
        pytest.param("grace = " + "9" * 5_000, 1, "the file", "digits", id="a number without end"),
        pytest.param("grace = " + "[" * 5_000, 1, "the file", "", id="brackets without end"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_field(text: str, line: int, field: str, words: str) -> None:
    """Somebody can put it right without reading code."""
    found = problems(text)
    assert [(at, name) for at, name, _ in found] == [(line, field)]
    assert words in found[0][2]


def test_all_mistakes_are_told_at_once_and_each_once() -> None:
    """A mistake for everybody is not repeated for each segment."""
    text = 'grace = "x"\n[[segment]]\nname = "a"\nwhen = {plan = "a"}\nmail_gap = "y"\n'
    assert [(line, field) for line, field, _ in problems(text)] == [(1, "grace"), (5, "segment[0].mail_gap")]


def test_two_segments_of_one_name_are_a_mistake() -> None:
    """A case remembers its segment by name."""
    one = '[[segment]]\nname = "a"\nwhen = {plan = "a"}\n'
    assert problems(one * 2)[0][:2] == (5, "segment[1].name")


@pytest.mark.parametrize("text", ["15min", "72h", "14d"])
def test_a_span_is_spelled_as_it_is_read(text: str) -> None:
    """What is shown can be copied into the file."""
    found = span(text)
    assert isinstance(found, timedelta)
    assert span(spell(found)) == found
