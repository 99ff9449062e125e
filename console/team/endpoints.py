"""The endpoints of the merchant's application: the same as `dunning webhooks` does, for programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pydantic import BaseModel, TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from console.endpoints import EndpointFacts, endpoint_facts
from console.inputs import body_of, query_of
from console.keyring import Holder
from console.operation import Operation
from console.problems import ProblemError, problem_body
from console.replies import reply
from console.scopes import Scope
from console.team import endpoint_changes as changes
from console.team.actions import who
from console.team.bodies import Reasoned
from console.team.cases import CACHE
from console.team.endpoint_bodies import DeliveriesQuery, NewEndpoint, Nothing, Replay, Rotation
from console.team.endpoint_changes import EndpointRefusedError, EndpointSecret, EventsSentAgain, Removed
from console.team.once import IdempotencyKey, name_of, once
from console.team.services import Team
from db import deliveries, endpoints
from db.deliveries import Delivery
from db.endpoints import Endpoint
from outbound.signing import new_secret

log = structlog.get_logger()

PATH: Final = "/v1/webhook-endpoints"
ONE: Final = f"{PATH}/{{endpoint}}"


@dataclass(frozen=True, slots=True)
class EndpointList:
    """All of them, the oldest first."""

    endpoints: list[EndpointFacts]


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some deliveries, the newest first; `next` is `before` of the next page, or null."""

    deliveries: list[Delivery]
    next: int | None


Change = Callable[[AsyncConnection, Endpoint, Any, Holder], Awaitable[Any]]


def endpoint_operations(team: Team) -> list[Operation]:
    """What the scope `webhooks` may see and change."""
    return [
        _reading(PATH, "List the endpoints of your application", EndpointList, _list(team)),
        _posting(PATH, "Add an endpoint", NewEndpoint, EndpointSecret, _add(team)),
        _reading(ONE, "One endpoint", EndpointFacts, _show(team)),
        _reading(
            f"{ONE}/deliveries", "What was sent there", DeliveryPage, _deliveries(team), query=DeliveriesQuery
        ),
        _change(team, "rotate", "Sign with a new secret", Rotation, EndpointSecret, changes.rotate),
        _change(team, "enable", "Send events there again", Nothing, EndpointFacts, changes.enable),
        _change(team, "disable", "Send nothing there any more", Reasoned, EndpointFacts, changes.disable),
        _change(team, "remove", "Forget an endpoint", Nothing, Removed, changes.remove),
        _change(team, "replay", "Send events again", Replay, EventsSentAgain, changes.send_again),
    ]


def _reading(
    path: str, summary: str, answer: type[Any], endpoint: Any, *, query: type[BaseModel] | None = None
) -> Operation:
    problems: dict[int, tuple[str, ...]] = {404: ("unknown_endpoint",)} if path != PATH else {}
    if query:
        problems[400] = ("invalid_query",)
    return Operation(
        "GET", path, summary, endpoint, answer, Scope.WEBHOOKS, query=query, problems=problems, etag=True
    )


def _posting(path: str, summary: str, body: type[BaseModel], answer: type[Any], endpoint: Any) -> Operation:
    return Operation(
        "POST",
        path,
        summary,
        endpoint,
        answer,
        Scope.WEBHOOKS,
        body=body,
        headers=IdempotencyKey,
        problems={
            400: ("invalid_body", "idempotency_key_missing", "idempotency_key_invalid"),
            **({404: ("unknown_endpoint",)} if path != PATH else {}),
            409: ("refused", "request_in_progress"),
            413: ("body_too_large",),
            415: ("unsupported_media_type",),
            422: ("idempotency_key_reused",),
        },
    )


def _change(
    team: Team, name: str, summary: str, body: type[BaseModel], answer: type[Any], change: Change
) -> Operation:
    async def endpoint(request: Request) -> Response:
        key = name_of(request)
        said = await body_of(request, body)

        async def work(connection: AsyncConnection, holder: Holder) -> tuple[int, bytes]:
            one = await _find(connection, request)
            try:
                done = await change(connection, one, said, holder)
            except EndpointRefusedError as refused:
                return 409, problem_body(409, "refused", str(refused))
            log.info(f"endpoint.{name}", endpoint=one.id, by=who(holder, None))
            return 200, TypeAdapter(answer).dump_json(done) + b"\n"

        return await once(team, request, key, said, work)

    return _posting(f"{ONE}/{name}", summary, body, answer, endpoint)


async def _find(connection: AsyncConnection, request: Request) -> Endpoint:
    given = request.path_params["endpoint"]
    known = given.isascii() and given.isdigit() and len(given) <= 18
    one = await endpoints.find(connection, int(given)) if known else None
    if one is None:
        raise ProblemError(404, "unknown_endpoint", "There is no endpoint with this number.")
    return one


def _list(team: Team) -> Any:
    async def endpoint(request: Request) -> Response:
        async with team.reading() as connection:
            found = EndpointList([endpoint_facts(one) for one in await endpoints.every(connection)])
        return reply(request, TypeAdapter(EndpointList).dump_json(found) + b"\n", cache=CACHE)

    return endpoint


def _show(team: Team) -> Any:
    async def endpoint(request: Request) -> Response:
        async with team.reading() as connection:
            found = endpoint_facts(await _find(connection, request))
        return reply(request, TypeAdapter(EndpointFacts).dump_json(found) + b"\n", cache=CACHE)

    return endpoint


def _deliveries(team: Team) -> Any:
    async def endpoint(request: Request) -> Response:
        query = query_of(request, DeliveriesQuery)
        async with team.reading() as connection:
            one = await _find(connection, request)
            found = await deliveries.latest(
                connection, endpoint=one.id, status=query.status, most=query.limit + 1, before=query.before
            )
        shown = list(found[: query.limit])
        page = DeliveryPage(shown, shown[-1].id if len(found) > query.limit else None)
        return reply(request, TypeAdapter(DeliveryPage).dump_json(page) + b"\n", cache=CACHE)

    return endpoint


def _add(team: Team) -> Any:
    async def endpoint(request: Request) -> Response:
        key = name_of(request)
        said = await body_of(request, NewEndpoint)

        async def work(connection: AsyncConnection, holder: Holder) -> tuple[int, bytes]:
            secret = new_secret()
            types = {event.value for event in said.events}
            number = await endpoints.add(connection, said.url, secret, types=types, about=said.about)
            if number is None:
                return 409, problem_body(409, "refused", "There is an endpoint with this URL.")
            log.info("endpoint.add", endpoint=number, by=who(holder, None))
            return 200, TypeAdapter(EndpointSecret).dump_json(EndpointSecret(number, secret)) + b"\n"

        return await once(team, request, key, said, work)

    return endpoint
