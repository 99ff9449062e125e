"""What failed and what was recovered, added up; `console.figures.definitions` says what each number is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from console.figures.period import Period
from console.figures.reading import seen
from console.figures.tally import ByCurrency, Dimension, Sums
from console.figures.waiting import Waits
from db import figures as rows
from db.figures import AtRisk, Wanted


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything a report shows, as of `made_at`. Amounts are in minor units, a currency each.

    `groups` hold each case of the period once in every dimension (`Dimension.CAUSE`: each recovered one).
    `at_risk` and `since`, when the first thing was written down, know of no period. `ended` are subscriptions
    by the month in which they ended and by whether anybody wanted it.
    """

    period: Period
    made_at: datetime
    since: datetime | None
    currency: str | None
    test_clocks: bool
    at_risk: tuple[AtRisk, ...]
    total: ByCurrency
    groups: Mapping[Dimension, Mapping[str, ByCurrency]]
    waits: Waits
    ended: Mapping[date, Mapping[str, int]]
    first_payments: int

    @property
    def currencies(self) -> list[str]:
        """Those with the most cases first."""
        return sorted(self.total, key=lambda code: (-self.total[code].cases, code))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.total or self.at_risk or self.ended)

    def group(self, dimension: Dimension, name: str) -> ByCurrency:
        return self.groups[dimension].get(name, {})


async def figures(
    connection: AsyncConnection,
    period: Period,
    *,
    now: datetime,
    currency: str | None = None,
    test_clocks: bool = False,
) -> Figures:
    """The figures of a period at one moment, if the connection's transaction sees one.

    `now` is the wall clock. With `currency`, cases of that one alone; with `test_clocks`, customers on test
    clocks too, until their own time. Cases are read one after the other and never kept.
    """
    wanted = Wanted(
        begin=period.begin,
        end=period.end,
        now=now,
        zone=period.zone.key,
        currency=currency and currency.lower(),
        test_clocks=test_clocks,
    )
    sums, waits = Sums(), Waits()

    def add(some: Sequence[Any]) -> None:
        for row in some:
            case = seen(row, period)
            sums.add(case)
            waits.add(case)

    async for some in rows.cases(connection, wanted):
        # Many cases take a while to think through: others ask for access meanwhile.
        await asyncio.to_thread(add, some)
    ended: dict[date, dict[str, int]] = {}
    for each in await rows.churn(connection, wanted):
        ended.setdefault(each.month, {})[each.why] = each.subscriptions
    return Figures(
        period=period,
        made_at=now,
        since=await rows.since(connection),
        currency=wanted.currency,
        test_clocks=test_clocks,
        at_risk=tuple(await rows.at_risk(connection, wanted)),
        total=sums.total,
        groups=sums.groups,
        waits=waits,
        ended=ended,
        first_payments=await rows.first_payments(connection, wanted),
    )
