"""A source that had ended is back: customers who were left alone because of that are taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, instructions, reconciliations
from dunning.account import Account
from dunning.case import settle
from dunning.instructions import Verb
from dunning.requests import Request
from dunning.segments import PolicySource
from dunning.standing import holding
from worker.usecases.close_source import BY
from worker.usecases.instruct import instruct


class NotComparedError(Exception):
    """Nobody knows what was paid meanwhile, so that nobody may be written to yet."""


async def left_alone(connection: AsyncConnection, source: str) -> list[int]:
    """The customers (row ids, ascending) whom the end of their source has excluded, and nobody has resumed.

    Raises NotComparedError where the source has not been compared with since.
    """
    said = await instructions.said_by(connection, source, Verb.EXCLUDE, BY)
    runs = await reconciliations.read(connection, source)
    compared_at = runs["comparison"].succeeded_at if "comparison" in runs else None
    if said and (compared_at is None or compared_at < max(said.values())):
        raise NotComparedError(source)
    return list(said)


@dataclass(frozen=True, slots=True)
class Taken:
    """A customer who was asked for, and whether they were `resumed`: not where more than that holds."""

    customer: str
    resumed: bool


async def resume(
    connection: AsyncConnection,
    ids: Sequence[int],
    *,
    by: str,
    why: str,
    policy: PolicySource,
    zone: tzinfo,
    now: datetime,
) -> list[Taken]:
    """Go on with these customers (row ids). Whoever has been spoken about otherwise is left to a person.

    Resuming a customer ends all that was said of them and of their cases, and only this was meant.
    """
    known = await accounts.load(connection, sorted(ids), lock=True)
    done = []
    for customer_id, loaded in known.items():
        account = settle(loaded.account, policy)
        alone = not _more_holds(account, loaded.clock or now)
        if alone:
            request = Request(Verb.RESUME, by, why)
            await instruct(connection, customer_id, request, policy=policy, zone=zone, now=now)
        done.append(Taken(account.customer.ref, alone))
    return done


def _more_holds(account: Account, now: datetime) -> bool:
    """Whether anything but the end of the source keeps the customer, or one of their cases, as they are."""
    about = [None, *account.open_cases()]
    return any(
        (each.verb, each.by) != (Verb.EXCLUDE, BY) for case in about for each in holding(account, case, now)
    )
