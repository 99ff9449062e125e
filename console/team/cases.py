"""The cases: a list of them, page by page, and one with its timeline and its plan."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import Field, TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from console import view
from console.cases import CaseFacts, facts
from console.file import CaseFile, case_file
from console.inputs import Inputs, Ref, query_of
from console.operation import Operation
from console.problems import ProblemError
from console.replies import reply
from console.scopes import Scope
from console.team import cursor
from console.team.services import Team
from db import accounts, lookups
from db.accounts import Loaded
from db.lookups import Place
from dunning.account import Outcome

# A page is read again whenever it is looked at: what it says may have changed a second ago.
CACHE = "private, no-cache"
MOST = 200
USUALLY = 50


class CasesQuery(Inputs):
    """Which cases: those that fit everything that is given."""

    state: Annotated[Literal["open", "closed"] | None, Field(description="`open` cases want money.")] = None
    customer: Annotated[Ref | None, Field(description="The provider's id of their customer.")] = None
    outcome: Annotated[Outcome | None, Field(description="How they were closed.")] = None
    source: Annotated[Ref | None, Field(description="Their billing provider, such as `stripe`.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST, description="So many at most.")] = USUALLY
    cursor: Annotated[str | None, Field(max_length=1000, description="`next` of the page before.")] = None


class CaseQuery(Inputs):
    """Whose invoice it is."""

    source: Annotated[
        Ref | None,
        Field(
            description="The billing provider; without it the only one that has customers here, else Stripe."
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some cases, the newest first, and the cursor of the next page; null: this is the last one."""

    cases: list[CaseFacts]
    next: str | None


PAGE = TypeAdapter(CasePage)
FILE = TypeAdapter(CaseFile)


def case_operations(team: Team) -> list[Operation]:
    """What the scope `cases` may read."""

    async def list_(request: Request) -> Response:
        query = query_of(request, CasesQuery)
        after = cursor.read(query.cursor) if query.cursor is not None else None
        async with team.reading() as connection:
            places = await lookups.page_of_cases(
                connection,
                after=after,
                limit=query.limit + 1,
                is_open=None if query.state is None else query.state == "open",
                outcome=query.outcome,
                source=query.source,
                customer=query.customer,
            )
            more, places = len(places) > query.limit, places[: query.limit]
            loaded = await accounts.load(connection, sorted({each.customer_id for each in places}))
        # A page of long stories takes a while to think through: others ask for access meanwhile.
        cases = await asyncio.to_thread(_listed, team, places, loaded)
        page = CasePage(cases, cursor.written(places[-1]) if more else None)
        answer = reply(request, PAGE.dump_json(page) + b"\n", cache=CACHE)
        if page.next:
            given = {**query.model_dump(exclude_none=True, mode="json"), "cursor": page.next}
            answer.headers["link"] = f'<{request.url.path}?{urlencode(given)}>; rel="next"'
        return answer

    async def one(request: Request) -> Response:
        invoice = request.path_params["invoice"]
        async with team.reading() as connection:
            owner = await owner_of(connection, query_of(request, CaseQuery), invoice)
            seen = await view.read(connection, owner, team.policy, team.clock())
        file = await asyncio.to_thread(case_file, seen, seen.account.cases[invoice])
        return reply(request, FILE.dump_json(file) + b"\n", cache=CACHE)

    return [
        Operation(
            "GET",
            "/v1/cases",
            "List cases, the newest first",
            list_,
            CasePage,
            Scope.CASES,
            query=CasesQuery,
            problems={400: ("invalid_query", "invalid_cursor")},
            etag=True,
        ),
        Operation(
            "GET",
            "/v1/cases/{invoice}",
            "One case with its timeline and plan",
            one,
            CaseFile,
            Scope.CASES,
            query=CaseQuery,
            problems={400: ("invalid_query",), 404: ("unknown_case",)},
            etag=True,
        ),
    ]


async def owner_of(connection: AsyncConnection, query: CaseQuery, invoice: str) -> int:
    """The row id of the customer whose case it is. Raises ProblemError 404."""
    # PostgreSQL cannot even be asked for some: its texts hold no NUL.
    owner = await lookups.owner_of_case(connection, query.source, invoice) if invoice.isprintable() else None
    if owner is None:
        whose = f" from {query.source}" if query.source else ""
        raise ProblemError(404, "unknown_case", f"There is no case of this invoice{whose}.")
    return owner


def _listed(team: Team, places: Sequence[Place], loaded: Mapping[int, Loaded]) -> list[CaseFacts]:
    now = team.clock()
    views = {row: view.look(one, team.policy, now) for row, one in loaded.items()}
    seen = [(views[each.customer_id], each.invoice) for each in places]
    return [facts(each, each.account.cases[invoice]) for each, invoice in seen]
