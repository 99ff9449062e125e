"""The outbox: effects decided in a transaction, carried out after it, each by exactly one claim at a time.

A claim is a lease with a fence: its `attempts` number. A process that slept through its lease finds that
the number has moved on and may not touch the row any more.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    RowMapping,
    and_,
    any_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from db import batch
from db.models import outbox
from db.words import meaning
from dunning.steps import Kind
from dunning.values import lean

# Short, so that what a killed process held goes on soon; whoever lives renews it while they work.
LEASE = timedelta(seconds=20)
RENEW_EVERY = timedelta(seconds=5)


@lean
@dataclass(frozen=True, slots=True)
class NewEffect:
    """A row to write, once per (customer, step, channel). `created_at` is the account's time.

    `trace` is what decided it, as W3C's traceparent, for whoever carries it out and traces that. `recipient`
    and `reference` are of a mail that may have been sent already: see `dunning.restoring`.
    """

    customer_id: int
    case: str
    step: str
    kind: Kind
    name: str
    channel: str
    reason: str
    created_at: datetime
    status: str = "pending"
    last_error: str | None = None
    trace: str | None = None
    recipient: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One effect that is ours until the lease runs out. `fence` is the claim's own number.

    `rendered` is the stored message of an earlier claim, and `handed_over` says that claim may have sent it.
    `thread` is the step of the case's first mail that went out: the head of the mail thread.
    """

    id: int
    fence: int
    customer_id: int
    case: str
    step: str
    kind: Kind
    name: str
    channel: str
    reason: str
    created_at: datetime
    recipient: str | None
    rendered: dict[str, Any] | None
    handed_over: bool
    thread: str | None = None
    trace: str | None = None


async def add(connection: AsyncConnection, effects: Sequence[NewEffect]) -> list[int]:
    """Write effects and return the ids of those that are new and wait to be carried out."""
    return [row.id for row in await add_all(connection, effects)]


class Added(NamedTuple):
    """An effect that is new and waits to be carried out."""

    id: int
    customer_id: int
    kind: Kind


_NEW = tuple(NewEffect.__slots__)
_ADD = (
    batch.inserting(outbox, _NEW)
    .on_conflict_do_nothing()
    .returning(outbox.c.id, outbox.c.customer_id, outbox.c.kind, outbox.c.status)
)


async def add_all(connection: AsyncConnection, effects: Sequence[NewEffect]) -> list[Added]:
    """The same, with whose they are and of which kind."""
    if not effects:
        return []
    added = await connection.execute(_ADD, batch.attributes_of(effects, _NEW))
    return [Added(row.id, row.customer_id, Kind(row.kind)) for row in added if row.status == "pending"]


async def suppress(
    connection: AsyncConnection, customer_id: int, cases: Collection[str], why: str
) -> list[str]:
    """Drop what was decided for these cases but not yet sent; returns the steps. What is in flight stays."""
    if not cases:
        return []
    dropped = await connection.execute(
        update(outbox)
        .where(outbox.c.customer_id == customer_id, outbox.c.case.in_(list(cases)))
        .where(outbox.c.status == "pending", outbox.c.kind == Kind.MAIL.value)
        .values(status="suppressed", last_error=why)
        .returning(outbox.c.step)
    )
    return [row.step for row in dropped]


_CLOCK = func.clock_timestamp()
_WAITS = and_(outbox.c.status == "pending", outbox.c.due_at <= _CLOCK)
_ABANDONED = and_(outbox.c.status == "sending", outbox.c.lease_until < _CLOCK)
_earlier = outbox.alias("earlier")
_THREAD = (
    select(_earlier.c.step)
    .where(_earlier.c.customer_id == outbox.c.customer_id, _earlier.c.case == outbox.c.case)
    .where(_earlier.c.kind == Kind.MAIL.value, _earlier.c.handed_at.is_not(None))
    .order_by(_earlier.c.handed_at)
    .limit(1)
    .correlate(outbox)
    .scalar_subquery()
)
_TAKE = (
    update(outbox)
    .values(status="sending", attempts=outbox.c.attempts + 1, lease_until=_CLOCK + LEASE)
    .returning(outbox, _THREAD.label("thread"))
)
_TAKE_ONE = _TAKE.where(outbox.c.id == bindparam("effect"), or_(_WAITS, _ABANDONED))
# The first of each customer: whether a mail is still wanted depends on those before it.
_other = outbox.alias("other")
_FIRST = (
    select(func.min(_other.c.id))
    .where(_other.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
    .where(_other.c.status == "pending", _other.c.attempts == 0)
    .group_by(_other.c.customer_id)
)
_fresh = (
    select(outbox.c.id)
    .where(outbox.c.id.in_(_FIRST), _WAITS, outbox.c.attempts == 0)
    .order_by(outbox.c.id)
    .with_for_update(skip_locked=True)
    .cte("fresh")
)
_TAKE_FRESH = _TAKE.where(outbox.c.id == _fresh.c.id)
_OPEN = (
    select(outbox.c.id)
    .where(outbox.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))), or_(_WAITS, _ABANDONED))
    .order_by(outbox.c.attempts, outbox.c.id)
)


_HAND_OVER = """
UPDATE outbox SET recipient = $3, rendered = $4::text::jsonb, reference = $5, handed_at = clock_timestamp()
 WHERE id = $1 AND attempts = $2 AND status = 'sending'
"""


async def claim(connection: AsyncConnection, effect_id: int) -> Claim | None:
    """Take one effect that waits, or whose last claim ran out; None when it is done or somebody has it."""
    row = (await connection.execute(_TAKE_ONE, {"effect": effect_id})).mappings().one_or_none()
    return None if row is None else _claim(row)


async def claim_fresh(connection: AsyncConnection, ids: Sequence[int]) -> list[Claim]:
    """Take those of these effects that nobody has begun with yet, at most one of each customer.

    What was begun before may have ended its process: `claim` it alone, so that others do not end with it.
    """
    rows = await connection.execute(_TAKE_FRESH, {"ids": list(ids)})
    return sorted((_claim(row) for row in rows.mappings()), key=lambda claim: claim.id)


async def unclaimed(connection: AsyncConnection, ids: Sequence[int]) -> list[int]:
    """Those of these effects that can be claimed, the least often tried first."""
    return list((await connection.execute(_OPEN, {"ids": list(ids)})).scalars())


def _claim(row: RowMapping) -> Claim:
    values = {name: row[name] for name in Claim.__slots__ if name not in ("fence", "kind", "handed_over")}
    kind = meaning(Kind, row["kind"])
    return Claim(**values, fence=row["attempts"], kind=kind, handed_over=row["handed_at"] is not None)


def _ours(claim: Claim) -> Any:
    return and_(outbox.c.id == claim.id, outbox.c.status == "sending", outbox.c.attempts == claim.fence)


async def renew(connection: AsyncConnection, *claims: Claim) -> bool:
    """Hold on to effects for another lease. False: each is somebody else's now, or done."""
    held = await connection.execute(
        update(outbox)
        .where(or_(*(_ours(claim) for claim in claims)))
        .values(lease_until=func.clock_timestamp() + LEASE)
    )
    return held.rowcount > 0


async def hand_over(
    driver: Any,
    claim: Claim,
    recipient: str | None,
    rendered: dict[str, Any],
    reference: str | None = None,
) -> bool:
    """Store what is about to be sent. False: the lease ran out and the effect is somebody else's now.

    By `reference` the mail will be found when its service speaks of it. `driver` is asyncpg's connection.
    """
    message = json.dumps(rendered)
    done = await driver.execute(_HAND_OVER, claim.id, claim.fence, recipient, message, reference)
    return bool(done == "UPDATE 1")


async def postpone(
    connection: AsyncConnection, claim: Claim, wait: timedelta, error: str, *, handed_over: bool = False
) -> bool:
    """Try again after `wait`, with the message as it was rendered: it was certainly not sent.

    With `handed_over` it may have been, which stays written down.
    """
    done = await connection.execute(
        update(outbox)
        .where(_ours(claim))
        .values(
            status="pending",
            handed_at=outbox.c.handed_at if handed_over else None,
            lease_until=None,
            last_error=error,
            due_at=func.clock_timestamp() + wait,
        )
    )
    return done.rowcount == 1


async def put_back(connection: AsyncConnection, claim: Claim, wait: timedelta, why: str) -> None:
    """Undo a claim that has done nothing yet, so that it counts for nothing; it is due after `wait`."""
    await connection.execute(
        update(outbox)
        .where(_ours(claim))
        .values(
            status="pending",
            attempts=claim.fence - 1,
            lease_until=None,
            last_error=why,
            due_at=func.clock_timestamp() + wait,
        )
    )


async def history_of(connection: AsyncConnection, customer_id: int) -> list[dict[str, Any]]:
    """Every effect of a customer as plain rows, oldest first, without the message texts."""
    names = [column for column in outbox.c if column.name != "rendered"]
    rows = await connection.execute(
        select(*names).where(outbox.c.customer_id == customer_id).order_by(outbox.c.id)
    )
    return [dict(row) for row in rows.mappings()]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far an effect is. `said` is its last word; `again`: after an attempt it waits for the next."""

    status: str
    said: str | None
    again: bool


async def outcome(connection: AsyncConnection, customer_id: int, step: str) -> Outcome | None:
    """Of an effect with one channel, or None: there is none."""
    found = select(outbox.c.status, outbox.c.last_error, outbox.c.handed_at).where(
        outbox.c.customer_id == customer_id, outbox.c.step == step
    )
    row = (await connection.execute(found)).one_or_none()
    if row is None:
        return None
    return Outcome(row.status, row.last_error, row.status == "pending" and row.handed_at is not None)
