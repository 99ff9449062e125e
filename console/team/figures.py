"""The figures: what failed, what was recovered, by what and how fast."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from console.figures import figures
from console.figures.described import FiguresAnswer
from console.figures.period import MOST_MONTHS, Period, PeriodError, period
from console.figures.plain import plain
from console.inputs import Inputs, query_of
from console.operation import Operation
from console.problems import ProblemError
from console.replies import reply
from console.scopes import Scope
from console.team.services import Team

# An answer is good for so long, and so many of them are kept: to read all cases again costs seconds.
GOOD_FOR = timedelta(minutes=1)
MOST_KEPT = 16

Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]


class FiguresQuery(Inputs):
    """Which months, whole, by the merchant's time zone; the last twelve where nothing is said."""

    first: Annotated[Month | None, Field(alias="from", description="The first month: `2026-03`.")] = None
    last: Annotated[Month | None, Field(alias="to", description="The last; else the present one.")] = None
    months: Annotated[
        int | None, Field(ge=1, le=MOST_MONTHS, description="So many up to the last, instead of `from`.")
    ] = None
    currency: Annotated[
        str | None, Field(pattern=r"^[A-Za-z]{3}$", description="Cases of this currency alone.")
    ] = None
    test_clocks: Annotated[bool, Field(description="Customers on test clocks too.")] = False


class _Kept:
    """Answers of the last minute. They are made one after the other, since each takes all it can get."""

    def __init__(self, team: Team) -> None:
        self._team = team
        self._answers: dict[FiguresQuery, tuple[datetime, bytes]] = {}
        self._making = asyncio.Lock()

    async def answer(self, query: FiguresQuery) -> bytes:
        async with self._making:
            now = self._team.clock()
            made_at, body = self._answers.get(query, (None, b""))
            if made_at is None or not timedelta(0) <= now - made_at < GOOD_FOR:
                body = await self._made(query, now)
                self._answers.pop(query, None)
                self._answers[query] = now, body
                for oldest in list(self._answers)[:-MOST_KEPT]:
                    del self._answers[oldest]
            return body

    async def _made(self, query: FiguresQuery, now: datetime) -> bytes:
        wanted = _period(query, self._team, now)
        async with self._team.reading() as connection:
            found = await figures(
                connection, wanted, now=now, currency=query.currency, test_clocks=query.test_clocks
            )
        return json.dumps(plain(found)).encode() + b"\n"


def _period(query: FiguresQuery, team: Team, now: datetime) -> Period:
    try:
        # A zone's name is how it is written, whatever kind of time zone it is.
        return period(query.first, query.last, query.months, now=now, zone=ZoneInfo(str(team.zone)))
    except PeriodError as error:
        raise ProblemError(400, "invalid_period", str(error)) from None


def figure_operations(team: Team) -> list[Operation]:
    """What the scope `figures` may read."""
    kept = _Kept(team)

    async def read(request: Request) -> Response:
        body = await kept.answer(query_of(request, FiguresQuery))
        return reply(request, body, cache=f"private, max-age={GOOD_FOR.seconds}")

    return [
        Operation(
            "GET",
            "/v1/figures",
            "What failed, what was recovered, by what and how fast",
            read,
            FiguresAnswer,
            Scope.FIGURES,
            query=FiguresQuery,
            problems={400: ("invalid_query", "invalid_period")},
            about="An answer may be a minute old. docs/report.md explains how to read it.",
            etag=True,
        )
    ]
