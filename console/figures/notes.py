"""What a reader has to know before comparing numbers, and what is said when there are none."""

from __future__ import annotations

from collections.abc import Iterator

from console.figures import Figures
from console.figures.formats import amounts, many, months
from console.figures.shown import total
from dunning.money import format_date

NOTHING = (
    "Nothing has failed {when}, so there is nothing to report. That is good news, or no webhook arrives: "
    "`dunning status` tells."
)
ON_CLOCKS = " Customers on test clocks are left out: `--test-clocks` takes them in."


def nothing(figures: Figures) -> str:
    """Said of figures that are empty."""
    said = NOTHING.format(when=f"in {months(figures.period)}" if figures.since else "so far")
    return said if figures.test_clocks or not figures.since else said + ON_CLOCKS


def at_risk(figures: Figures) -> str:
    """What is open now, in a sentence."""
    if not figures.at_risk:
        return "At risk now: nothing, no case is open."
    cases = sum(each.cases for each in figures.at_risk)
    unpaid = amounts({each.currency: each.amount for each in figures.at_risk})
    return f"At risk now: {unpaid} in {many(cases, 'open case')}."


def notes(figures: Figures) -> Iterator[str]:
    """What limits what can be concluded, the most important first."""
    if not figures.total:
        yield f"No renewal failed in {months(figures.period)}."
    if still_open := total(figures).counts.open:
        yield f"{many(still_open, 'case')} of these months may still be paid: until then rates are ranges."
    since = figures.since
    if since and since > figures.period.begin:
        day = format_date(since, "en", figures.period.zone)
        yield f"Watched since {day}: of what failed before, only what was still unpaid then is known."
    if figures.first_payments:
        yield f"Left out: {many(figures.first_payments, 'first payment')} that failed."
    if figures.test_clocks:
        yield "With customers on test clocks, until the time of their clock."
