"""Groups of cases always come to the whole: each case counts once, and money to the last cent."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.figures.tally import Dimension, Fate, SeenCase, Sums, Tally, whole
from dunning.causes import Cause

MONEY = st.integers(0, 10**9)


@st.composite
def cases(draw: st.DrawFn) -> SeenCase:
    """A case as `console.figures.reading` makes it: no part is more than the whole."""
    fate = draw(st.sampled_from(Fate))
    due = draw(MONEY)
    paid = draw(st.integers(0, due))
    return SeenCase(
        month=date(2026, draw(st.integers(1, 3)), 1),
        currency=draw(st.sampled_from(("usd", "jpy", "kwd"))),
        category=draw(st.sampled_from(("insufficient_funds", "expired_card"))),
        code=draw(st.sampled_from(("insufficient_funds", "expired_card", "none"))),
        outcome=fate.value,
        fate=fate,
        cause=draw(st.sampled_from(Cause)) if fate is Fate.RECOVERED else None,
        due=due,
        paid=paid,
        refunded=draw(st.integers(0, paid)),
        unpaid=draw(st.integers(0, due - paid)) if fate is Fate.OPEN else 0,
        lasted=timedelta(days=draw(st.integers(0, 90))),
    )


def added(*found: SeenCase) -> Sums:
    sums = Sums()
    for case in found:
        sums.add(case)
    return sums


def of_currency(sums: Sums, dimension: Dimension, currency: str) -> list[Tally]:
    return [group[currency] for group in sums.groups[dimension].values() if currency in group]


@settings(max_examples=40)
@given(st.lists(cases(), max_size=30))
def test_groups_come_to_the_whole(found: list[SeenCase]) -> None:
    """In every dimension and currency; causes come to what was recovered."""
    sums = added(*found)
    for currency, total in sums.total.items():
        own = [case for case in found if case.currency == currency]
        assert total.cases == len(own)
        assert total.due == sum(case.due for case in own)
        assert total.due == total.paid + total.unpaid + total.dropped
        assert total.net == sum(case.paid - case.refunded for case in own) >= 0
        assert min(total.lost, total.dropped) >= 0
        for dimension in Dimension:
            groups = of_currency(sums, dimension, currency)
            expected = total.recovered if dimension is Dimension.CAUSE else total.cases
            assert sum(tally.cases for tally in groups) == expected
            assert sum(tally.recovered for tally in groups) == total.recovered
            if dimension is not Dimension.CAUSE:
                assert sum(tally.net for tally in groups) == total.net
                assert sum(tally.dropped for tally in groups) == total.dropped
    assert whole(sums.total.values()).cases == len(found)


@settings(max_examples=40)
@given(st.lists(cases(), max_size=15), st.lists(cases(), max_size=15))
def test_a_closed_month_is_not_changed_by_later_cases(before: list[SeenCase], later: list[SeenCase]) -> None:
    """Whatever fails in April, March stays what it was."""
    may = [case for case in later if case.month.month == 3]
    earlier = [case for case in before if case.month.month < 3]
    alone, together = added(*earlier), added(*earlier, *may)
    for month, group in alone.groups[Dimension.MONTH].items():
        assert together.groups[Dimension.MONTH][month] == group


@settings(max_examples=40)
@given(st.lists(cases(), min_size=1, max_size=30))
def test_a_rate_is_a_range_that_no_end_of_the_open_cases_leaves(found: list[SeenCase]) -> None:
    """All of them paid is its upper end, none of them its lower; without open cases it is one number."""
    tally = Tally()
    for case in found:
        tally.add(case)
    rate = tally.rate
    assert rate is not None
    assert 0 <= rate.low <= rate.high <= 1
    assert rate.known == (tally.open == 0)
    assert rate.high == pytest.approx(1 - tally.lost / tally.cases)


def test_nothing_has_no_rate() -> None:
    """Neither of cases nor of money."""
    assert (Tally().rate, Tally().money_rate) == (None, None)
