"""What people decide about a case, by the same use cases as the commands, each once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from console.effect import Effect
from console.giving import give
from console.inputs import body_of, query_of
from console.keyring import Holder
from console.operation import Endpoint, Operation
from console.problems import problem_body
from console.scopes import Scope
from console.team.bodies import Reasoned, SoManyDays, ToSomebody, UntilADay
from console.team.cases import CaseQuery, owner_of
from console.team.once import IdempotencyKey, name_of, once
from console.team.services import Team
from console.words import step_title
from dunning.instructions import Verb
from dunning.requests import Code, Request
from worker.usecases.instruct import RefusedError
from worker.usecases.resend import resend

PROBLEMS: Final = {
    400: ("invalid_body", "invalid_query", "idempotency_key_missing", "idempotency_key_invalid"),
    404: ("unknown_case",),
    409: (*Code, "request_in_progress"),
    413: ("body_too_large",),
    415: ("unsupported_media_type",),
    422: ("idempotency_key_reused",),
}
EFFECT: Final = TypeAdapter(Effect)


@dataclass(frozen=True, slots=True)
class SentAgain:
    """The step by which a mail is sent again. `dunning explain` and the case tell what became of it."""

    customer: str
    case: str
    step: str
    title: str


SENT_AGAIN: Final = TypeAdapter(SentAgain)

# One thing that may be said: what goes with it, and its summary.
INSTRUCTIONS: Final[Mapping[str, tuple[Verb, type[Reasoned], str]]] = {
    "pause": (Verb.PAUSE, UntilADay, "Do nothing until a day is over"),
    "resume": (Verb.RESUME, Reasoned, "Go on with a case that was stopped, paused or handed over"),
    "extend": (Verb.EXTEND, SoManyDays, "Let access end later"),
    "stop": (Verb.STOP, Reasoned, "Do nothing about a case any more"),
    "forgive": (Verb.FORGIVE, Reasoned, "Drop the debt and give back what was taken"),
    "acknowledge": (Verb.ACKNOWLEDGE, Reasoned, "Say that a person has seen the calls for a case"),
    "hand-over": (Verb.HAND_OVER, ToSomebody, "Leave a case to a person"),
    "promise": (Verb.PROMISE, UntilADay, "Note the day on which the customer will pay"),
}


def action_operations(team: Team) -> list[Operation]:
    """What the scope `act` may do."""
    said = [
        _operation(name, summary, body, Effect, _instruction(team, verb, body))
        for name, (verb, body, summary) in INSTRUCTIONS.items()
    ]
    again = _operation("resend", "Send the newest mail of a case again", Reasoned, SentAgain, _resend(team))
    return [*said, again]


def _operation(name: str, summary: str, body: type[Reasoned], answer: Any, endpoint: Endpoint) -> Operation:
    return Operation(
        "POST",
        f"/v1/cases/{{invoice}}/{name}",
        summary,
        endpoint,
        answer,
        Scope.ACT,
        query=CaseQuery,
        body=body,
        headers=IdempotencyKey,
        problems=PROBLEMS,
    )


Act = Callable[[AsyncConnection, int, str, Any, str], Awaitable[bytes]]


def _endpoint(team: Team, model: type[Reasoned], act: Act) -> Endpoint:
    async def endpoint(request: HttpRequest) -> Response:
        invoice, query, name = request.path_params["invoice"], query_of(request, CaseQuery), name_of(request)
        body = await body_of(request, model)

        async def work(connection: AsyncConnection, holder: Holder) -> tuple[int, bytes]:
            owner = await owner_of(connection, query, invoice)
            try:
                return 200, await act(connection, owner, invoice, body, who(holder, body.by)) + b"\n"
            except RefusedError as refused:
                return 409, problem_body(409, refused.code, str(refused))

        return await once(team, request, name, body, work)

    return endpoint


def who(holder: Holder, by: str | None) -> str:
    """Who says so, as it is written down: nobody speaks for another without the key being named."""
    return f"{by} (key {holder.label})" if by else f"key {holder.label}"


def _instruction(team: Team, verb: Verb, model: type[Reasoned]) -> Endpoint:
    async def act(connection: AsyncConnection, owner: int, invoice: str, body: Any, by: str) -> bytes:
        days = getattr(body, "days", None)
        request = Request(
            verb,
            by,
            body.reason,
            invoice,
            until=getattr(body, "until", None),
            span=timedelta(days=days) if days else None,
            to=getattr(body, "to", None),
        )
        effect, _ = await give(
            connection, owner, request, policy=team.policy, zone=team.zone, now=team.clock()
        )
        return EFFECT.dump_json(effect)

    return _endpoint(team, model, act)


def _resend(team: Team) -> Endpoint:
    async def act(connection: AsyncConnection, owner: int, invoice: str, body: Any, by: str) -> bytes:
        sent = await resend(
            connection, owner, invoice, by=by, why=body.reason, policy=team.policy, now=team.clock()
        )
        return SENT_AGAIN.dump_json(SentAgain(sent.customer, sent.case, sent.step, step_title(sent.step)))

    return _endpoint(team, Reasoned, act)
