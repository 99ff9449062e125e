"""Customers of a billing system that has no test clocks, on one of ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from dunning.events import AsOf, BillingEvent, ClockMoved, CustomerSeen

CLOCK = "rehearsal"
# Older than anything that is said of a customer, so that it takes the place of nothing. Not the least there
# is, which PostgreSQL's driver takes for -infinity and gives back without a zone.
_BEFORE_ALL = AsOf(datetime(1970, 1, 1, tzinfo=UTC))


def on_test_clock(facts: Iterable[BillingEvent]) -> list[BillingEvent]:
    """The facts, with everybody they are of on the source's test clock."""
    told = list(facts)
    named = dict.fromkeys(fact.customer for fact in told if not isinstance(fact, ClockMoved))
    placed = [CustomerSeen(customer, _BEFORE_ALL, test_clock=CLOCK) for customer in named]
    return [
        *placed,
        *(replace(fact, test_clock=CLOCK) if isinstance(fact, CustomerSeen) else fact for fact in told),
    ]
