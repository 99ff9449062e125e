"""Carry settled accounts forward to `now`: write what is due, once, with its reason, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from db import changes, journal, outbox
from db.accounts import Loaded
from db.models import access
from db.outbox import Added
from dunning.account import Account
from dunning.segments import PolicySource
from dunning.steps import Kind
from worker.usecases.deciding import Decision, decide
from worker.usecases.holding import Switch


@dataclass(frozen=True, slots=True)
class Enacted:
    """What has to happen after the commit: outbox rows to carry out, by kind, and cases to look at again.

    `endpoints` are those of the merchant's application that are to be told. `unverified`: access is due to be
    taken, but nobody has asked the provider yet.
    """

    mail: tuple[int, ...] = ()
    team: tuple[int, ...] = ()
    billing: tuple[int, ...] = ()
    endpoints: frozenset[int] = frozenset()
    unverified: bool = False


async def enact(
    connection: AsyncConnection,
    loaded: Loaded,
    after: Account,
    *,
    policy: PolicySource,
    team_channels: tuple[str, ...],
    now: datetime,
    verified: Collection[str] = (),
    taking: bool = True,
) -> Enacted:
    """Decide for one locked account, as `decide` does, and write it."""
    decision = await decide(
        connection,
        loaded,
        after,
        switch=Switch(connection),
        policy=policy,
        team_channels=team_channels,
        now=now,
        verified=verified,
        taking=taking,
    )
    return (await enact_all(connection, [decision]))[loaded.id]


async def enact_all(
    connection: AsyncConnection, decisions: Sequence[Decision], *, heard_late: bool = False
) -> dict[int, Enacted]:
    """Write decisions about different accounts, in as many statements as for one; by the account's row id.

    The endpoints are those of all of them together. `heard_late` is for `changes.save`.
    """
    added = await outbox.add_all(connection, [row for each in decisions for row in each.effects])
    await changes.save(connection, [each.change for each in decisions], heard_late=heard_late)
    await changes.upsert(connection, access, [each.access for each in decisions if each.access])
    told = await journal.write(connection, [entry for each in decisions for entry in each.entries])

    def enacted(decision: Decision) -> Enacted:
        rows = of[decision.change.before.id]
        return Enacted(
            mail=tuple(row.id for row in rows if row.kind is Kind.MAIL),
            team=tuple(row.id for row in rows if row.kind is Kind.TEAM),
            billing=tuple(row.id for row in rows if row.kind in (Kind.RETRY, Kind.END)),
            endpoints=told,
            unverified=decision.unverified,
        )

    of: dict[int, list[Added]] = defaultdict(list)
    for row in added:
        of[row.customer_id].append(row)
    return {each.change.before.id: enacted(each) for each in decisions}
