"""What may be changed about an endpoint that there is, each in the transaction it is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from console.endpoints import EndpointFacts, endpoint_facts
from console.keyring import Holder
from console.team.actions import who
from console.team.bodies import Reasoned
from console.team.endpoint_bodies import Nothing, Replay, Rotation
from db import endpoints, replay
from db.endpoints import Endpoint
from db.replay import Again
from outbound.signing import new_secret


@dataclass(frozen=True, slots=True)
class EndpointSecret:
    """The secret that signs from now on. It is not shown again."""

    endpoint: int
    secret: str


@dataclass(frozen=True, slots=True)
class EventsSentAgain:
    """How many events are sent again."""

    endpoint: int
    sent_again: int


@dataclass(frozen=True, slots=True)
class Removed:
    """The number of an endpoint that is no more."""

    endpoint: int


class EndpointRefusedError(Exception):
    """It cannot be done; the text says why."""


async def rotate(connection: AsyncConnection, one: Endpoint, said: Rotation, _: Holder) -> EndpointSecret:
    _not_of_the_settings(one)
    secret = new_secret()
    await endpoints.rotate(connection, one.id, secret, overlap=timedelta(hours=said.overlap_hours))
    return EndpointSecret(one.id, secret)


async def enable(connection: AsyncConnection, one: Endpoint, _: Nothing, __: Holder) -> EndpointFacts:
    if one.disabled_at is None:
        raise EndpointRefusedError("It is enabled.")
    await endpoints.enable(connection, one.id)
    return await _as_it_is(connection, one)


async def disable(
    connection: AsyncConnection, one: Endpoint, said: Reasoned, holder: Holder
) -> EndpointFacts:
    if not await endpoints.disable(connection, one.id, f"{said.reason}, says {who(holder, said.by)}"):
        raise EndpointRefusedError("It is disabled already.")
    return await _as_it_is(connection, one)


async def remove(connection: AsyncConnection, one: Endpoint, _: Nothing, __: Holder) -> Removed:
    _not_of_the_settings(one)
    await endpoints.remove(connection, one.id)
    return Removed(one.id)


async def send_again(connection: AsyncConnection, one: Endpoint, said: Replay, _: Holder) -> EventsSentAgain:
    if one.disabled_at:
        raise EndpointRefusedError("It is disabled: enable it first.")
    is_message = (said.event or "").startswith("msg_")
    again = Again(
        said.since,
        type=None if is_message else said.event,
        message=said.event if is_message else None,
        failed=bool(said.failed),
    )
    events = await replay.matching(connection, one, again)
    return EventsSentAgain(one.id, await replay.send_again(connection, one.id, events))


async def _as_it_is(connection: AsyncConnection, one: Endpoint) -> EndpointFacts:
    return endpoint_facts(await endpoints.find(connection, one.id) or one)


def _not_of_the_settings(one: Endpoint) -> None:
    if one.from_settings:
        raise EndpointRefusedError("It stands in DUNNING_WEBHOOK_ENDPOINTS: change it there.")
