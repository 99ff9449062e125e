"""A very short month, kept in each way: everything fits together, and a day of it goes."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.house import House
from benchmarks.month.layouts import LAYOUTS
from benchmarks.month.measure import Figures
from benchmarks.month.story import Month, play

MONTH = Month(events=3_000, seconds=0.05, batch=60)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_month_is_filled_and_a_day_of_it_taken_away(servers: House, layout: str) -> None:
    """A thirtieth of the events loses what they say, and then goes itself."""
    found: dict[str, Figures] = {}
    filled: dict[str, int] = {}
    url = servers.database()
    asyncio.run(play(LAYOUTS[layout], url, MONTH, found.__setitem__, filled.__setitem__))
    assert {"customers", "inbox", "journal", "outbox"} <= filled.keys()
    assert found["a day of content taken away"]["rows"] == pytest.approx(100, abs=2)
    assert found["a day of events taken away"]["rows"] == pytest.approx(100, abs=2)
    assert found["a month"]["store_rate"] > 0 < found["a month"]["work_rate"]
    assert servers.query(url, "SELECT count(*) FROM journal WHERE kind = 'event.applied'")[0][0] > 3_000
