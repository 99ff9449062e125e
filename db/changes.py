"""What becomes of accounts, written for many of them in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import batch
from db.accounts import Loaded
from db.mapping import columns, values_of
from db.models import cases, charges, customers, invoices, methods, subscriptions
from dunning.account import Account
from dunning.values import lean

Row = dict[str, Any]

_OWNER = update(customers).where(customers.c.id == bindparam("owner"))
_RENEWAL = (
    update(subscriptions)
    .where(subscriptions.c.customer_id == bindparam("owner"), subscriptions.c.ref == bindparam("renewed"))
    .values(due_at=bindparam("due"), test_clock=bindparam("clock"), swept_at=None)
)


@lean
@dataclass(frozen=True, slots=True)
class Change:
    """One locked account, as it was and as it is now.

    `due` is when each case, by invoice, and each upcoming renewal, by subscription, wants attention next.
    """

    before: Loaded
    after: Account
    due: Mapping[str, datetime | None] = field(default_factory=dict)


async def save(connection: AsyncConnection, changes: Sequence[Change], *, heard_late: bool = False) -> None:
    """Write what differs: customers, what they have, charges, cases, and when each wants attention next.

    `heard_late`: charges count as heard of when they failed, so that nobody takes them for a surge of now.
    """
    owners = [
        columns(change.after.customer) | {"owner": change.before.id}
        for change in changes
        if _differ(change.before.account.customer, change.after.customer)
    ]
    if owners:
        await connection.execute(_OWNER, owners)
    await upsert(connection, subscriptions, [row for each in changes for row in _seen(each, "subscriptions")])
    await upsert(connection, invoices, [row for each in changes for row in _seen(each, "invoices")])
    await upsert(connection, methods, [row for each in changes for row in _seen(each, "methods")])
    await upsert(connection, charges, [row for each in changes for row in _charged(each, heard_late)])
    kept = [row for each in changes for row in _cases(each)]
    await upsert(connection, cases, [row for row in kept if "policy" not in row])
    await upsert(connection, cases, [row for row in kept if "policy" in row])
    renewed = [row for each in changes for row in _renewed(each)]
    if renewed:
        await connection.execute(_RENEWAL, renewed)


def _differ(before: object, after: object) -> bool:
    """Whether one is not the other. Most are the very same, which is seen without a look at their fields."""
    return before is not after and before != after


def _seen(change: Change, name: str) -> Iterator[Row]:
    old, new = getattr(change.before.account, name), getattr(change.after, name)
    for ref, thing in new.items():
        if _differ(old.get(ref), thing):
            yield columns(thing) | {"customer_id": change.before.id}


def _charged(change: Change, heard_late: bool) -> Iterator[Row]:
    old = change.before.account.charges
    for ref, charge in change.after.charges.items():
        if _differ(old.get(ref), charge):
            late = {"recorded_at": charge.at} if heard_late else {}
            yield values_of(charge) | late | {"customer_id": change.before.id}


def _cases(change: Change) -> Iterator[Row]:
    """Those that changed or are due at another time than before; the policy only of those that are new to it.

    It is larger than all the rest, and most of what happens to a case leaves it alone.
    """
    before, after = change.before, change.after
    moved = before.account.customer.test_clock != after.customer.test_clock
    for ref, case in after.cases.items():
        due_at, known = change.due.get(ref), before.account.cases.get(ref)
        if moved or known != case or before.due.get(ref) != due_at:
            row = values_of(case) | {
                "customer_id": before.id,
                "outcome": case.outcome and case.outcome.value,
                "test_clock": after.customer.test_clock,
                "due_at": due_at,
                "swept_at": None,
            }
            if known and known.policy == case.policy:
                del row["policy"]
            else:
                row["policy"] = case.policy and case.policy.model_dump(mode="json")
            yield row


def _renewed(change: Change) -> Iterator[Row]:
    """When the next notice of each upcoming renewal is due, where that has changed."""
    clock = change.after.customer.test_clock
    moved = change.before.account.customer.test_clock != clock
    for ref in change.after.subscriptions:
        due_at = change.due.get(ref)
        if moved or change.before.due.get(ref) != due_at:
            yield {"owner": change.before.id, "renewed": ref, "due": due_at, "clock": clock}


async def upsert(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or overwrite those with the same primary key. All rows have the same columns."""
    if rows:
        await connection.execute(batch.upserting(table, tuple(rows[0])), batch.columns_of(rows))
