"""Running cases are moved to the policy now in force: on purpose, by somebody, with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, journal
from db.accounts import Loaded
from db.journal import Entry
from dunning.account import Account, Case
from dunning.case import settle
from dunning.policy import Policy
from dunning.rules.context import context
from dunning.segments import PolicySource
from dunning.takeover import grace_of
from worker.usecases.enact import enact

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Move:
    """What a move did to one case: the keys of its policies and when access ends, before and after."""

    customer: str
    case: str
    before: str
    after: str
    ended_at: datetime
    ends_at: datetime


async def move_policy(
    connection: AsyncConnection,
    customer_id: int,
    *,
    policy: PolicySource,
    by: str,
    why: str,
    now: datetime,
    segment: str | None = None,
) -> list[Move]:
    """Give the open cases of a customer (row id) the policy that a case opened now would get.

    With `segment`, only those that this segment's policy is for. Cases that have it already stay as they are,
    so that a move that was interrupted is simply made again.
    """
    loaded = (await accounts.load(connection, [customer_id], lock=True))[customer_id]
    at = loaded.clock or now
    account = settle(loaded.account, policy)
    moves, cases = [], dict(account.cases)
    for case in account.open_cases():
        wanted = policy.choose(account, account.invoices[case.invoice])
        if case.policy == wanted or (segment and segment_of(wanted) != segment):
            continue
        after = moved(account, loaded, policy, case, wanted, at)
        ended_at, ends_at = (_ends_at(account, each, loaded, policy, at) for each in (case, after))
        if ends_at != ended_at:
            # Whoever has been warned hears of the new end, three days before it as well.
            after = replace(after, moved_at=at)
            ends_at = _ends_at(account, after, loaded, policy, at)
        cases[case.invoice] = after
        moves.append(
            Move(account.customer.ref, case.invoice, policy.of(case).key, wanted.key, ended_at, ends_at)
        )
    if not moves:
        return []
    after_all = replace(account, cases=MappingProxyType(cases))
    await journal.write(connection, [_entry(customer_id, move, by, why, at) for move in moves])
    await enact(connection, loaded, after_all, policy=policy, team_channels=(), now=at, taking=False)
    log.info("policy.moved", customer=customer_id, cases=len(moves))
    return moves


def moved(
    account: Account, loaded: Loaded, policies: PolicySource, case: Case, wanted: Policy, now: datetime
) -> Case:
    """The case under its new policy, with grace stamped anew; never ending before a warning has said."""
    before = context(account, case, loaded.history, policies, now)
    after = replace(case, policy=wanted, grace=grace_of(case, wanted))
    if not before.warned_at:
        return after
    then = context(account, after, loaded.history, policies, now)
    missing = before.ends_at - then.ends_at
    if missing <= timedelta(0):
        return after
    # Grace may end long before what a late warning has made of it, so it grows up to the promised end.
    return replace(after, grace=after.grace + (before.ends_at - then.terms.granted_until))


def _ends_at(account: Account, case: Case, loaded: Loaded, policies: PolicySource, now: datetime) -> datetime:
    return context(account, case, loaded.history, policies, now).ends_at


def segment_of(policy: Policy) -> str:
    """The name in "3f9c0a1b2d4e/annual"; "base" for everybody else."""
    return policy.key.rpartition("/")[2]


def _entry(customer_id: int, move: Move, by: str, why: str, at: datetime) -> Entry:
    data = {
        "by": by,
        "from": move.before,
        "to": move.after,
        "ended_at": move.ended_at.isoformat(),
        "ends_at": move.ends_at.isoformat(),
    }
    return Entry(customer_id, at, "policy.moved", why, move.case, data)
