"""Times as people read them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from cli.moments import hint, span, stamp, when

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("away", "said"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=0.4), "now"),
        (timedelta(seconds=59), "in 59 s"),
        (timedelta(minutes=-5), "5 min ago"),
        (timedelta(hours=26), "in 26 h"),
        (timedelta(days=-3), "3 days ago"),
        (timedelta(days=14, hours=1), "in 14 days"),
    ],
)
def test_how_far_away_it_is(away: timedelta, said: str) -> None:
    """In the largest sensible unit, before or after."""
    assert hint(NOW + away, NOW) == said


def test_times_are_shown_in_utc() -> None:
    """Whatever zone they come in."""
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    assert stamp(there) == "2026-03-01 12:30 UTC"
    assert when(there, NOW) == "2026-03-01 12:30 UTC (now)"
    assert when(None, NOW) == "-"


def test_a_length_of_time() -> None:
    """Seconds up to minutes up to days; nothing for less than a second."""
    lengths = [timedelta(seconds=1), timedelta(minutes=2), timedelta(hours=3), timedelta(days=4)]
    assert [span(length) for length in lengths] == ["1 s", "2 min", "3 h", "4 days"]
    assert span(timedelta(0)) is None
