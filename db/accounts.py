"""Accounts in tables: many are loaded with their history in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    BigInteger,
    RowMapping,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import batch
from db.mapping import case_from, instruction_from, observed, plain
from db.models import (
    access,
    cases,
    charges,
    customers,
    instructions,
    invoices,
    mail_results,
    methods,
    outbox,
    subscriptions,
    test_clocks,
)
from db.words import meaning
from dunning.account import Account, Charge, Customer, Invoice, Method, Subscription
from dunning.results import Result
from dunning.steps import Effect, Kind

# Built once, and with arrays instead of lists of parameters: to build and compile a statement costs more than
# to run it, and a list of another length is another statement.
_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_ENSURE = batch.inserting(customers, ("source", "ref")).on_conflict_do_nothing()
_PAIRS = (
    func.unnest(bindparam("sources", type_=ARRAY(Text)), bindparam("refs", type_=ARRAY(Text)))
    .table_valued("source", "ref", name="pairs")
    .render_derived()
)
_KNOWN = select(customers.c.id, customers.c.source, customers.c.ref).join(
    _PAIRS, and_(customers.c.source == _PAIRS.c.source, customers.c.ref == _PAIRS.c.ref)
)
_OWNERS = select(customers).where(customers.c.id == any_(_IDS)).order_by(customers.c.id)
# In id order, so that two batches with common customers wait for each other and never deadlock.
_LOCKED_OWNERS = _OWNERS.with_for_update()
_PAID_SINCE = exists().where(
    cases.c.customer_id == invoices.c.customer_id,
    cases.c.subscription == invoices.c.subscription,
    or_(
        and_(cases.c.closed_at.is_(None), cases.c.opened_at < invoices.c.paid_at),
        cases.c.closed_at == invoices.c.paid_at,
    ),
)
_OF = {
    table: select(table).where(table.c.customer_id == any_(_IDS))
    for table in (subscriptions, charges, methods, instructions, access)
} | {
    # As text: the same policy is read once, however many cases have it.
    cases: select(
        *(column for column in cases.c if column is not cases.c.policy),
        cast(cases.c.policy, Text).label("policy"),
    ).where(cases.c.customer_id == any_(_IDS)),
    invoices: select(invoices).where(
        invoices.c.customer_id == any_(_IDS),
        or_(
            invoices.c.failed_at.is_not(None),
            invoices.c.ref == any_(bindparam("also", type_=ARRAY(Text))),
            _PAID_SINCE,
        ),
    ),
}
_TOLD = ("customer_id", "step", "kind", "name", "case", "status", "created_at", "accepted_at", "recipient")
_HISTORY = (
    select(
        *(outbox.c[name] for name in _TOLD),
        mail_results.c.kind.label("result"),
        mail_results.c.at.label("told_at"),
    )
    .outerjoin(mail_results, mail_results.c.outbox_id == outbox.c.id)
    .where(outbox.c.customer_id == any_(_IDS))
    .order_by(outbox.c.id)
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """An account with what was done for it. `clock` is its test clock's time; None: the wall clock.

    `due` is when each case wants attention, by invoice, and each upcoming renewal, by subscription. `access`
    is the row of what was last decided; None: nothing was.
    """

    id: int
    account: Account
    history: Mapping[str, Effect] = field(default_factory=dict)
    due: Mapping[str, datetime | None] = field(default_factory=dict)
    clock: datetime | None = None
    access: RowMapping | None = None


async def ensure(
    connection: AsyncConnection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Row ids of (source, customer) pairs, making rows for customers nobody has heard of yet."""
    if not keys:
        return {}
    rows = [{"source": source, "ref": ref} for source, ref in sorted(set(keys))]
    await connection.execute(_ENSURE, batch.columns_of(rows))
    return await known(connection, keys)


async def known(connection: AsyncConnection, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Row ids of those (source, customer) pairs that somebody has heard of."""
    if not keys:
        return {}
    sources, refs = zip(*sorted(set(keys)), strict=True)
    found = await connection.execute(_KNOWN, {"sources": list(sources), "refs": list(refs)})
    return {(row.source, row.ref): row.id for row in found}


async def load(
    connection: AsyncConnection,
    ids: Sequence[int],
    *,
    also_invoices: Collection[str] = (),
    lock: bool = False,
    facts_only: bool = False,
) -> dict[int, Loaded]:
    """Accounts by row id. With `lock`, nobody else folds or decides for them until the transaction ends.

    With `facts_only`, without what was decided: cases and history stay empty.

    Invoices that never failed are left out, except `also_invoices` and those whose payment may end, or has
    ended, a case of the same subscription.
    """
    owners = (await connection.execute(_LOCKED_OWNERS if lock else _OWNERS, {"ids": ids})).mappings().all()
    invoice_rows = await _of(connection, invoices, ids, also=list(also_invoices))
    subscription_rows = await _of(connection, subscriptions, ids)
    charge_rows = await _of(connection, charges, ids)
    method_rows = await _of(connection, methods, ids)
    none: dict[int, list[RowMapping]] = {row_id: [] for row_id in ids}
    case_rows = none if facts_only else await _of(connection, cases, ids)
    access_rows = none if facts_only else await _of(connection, access, ids)
    instruction_rows = await _of(connection, instructions, ids)
    history = await _history(connection, [] if facts_only else ids)
    clocks = await _clocks(connection, owners)
    return {
        owner["id"]: Loaded(
            id=owner["id"],
            account=Account(
                source=owner["source"],
                customer=observed(Customer, owner),
                subscriptions=_by_ref(observed(Subscription, row) for row in subscription_rows[owner["id"]]),
                invoices=_by_ref(observed(Invoice, row) for row in invoice_rows[owner["id"]]),
                charges=_by_ref(plain(Charge, row) for row in charge_rows[owner["id"]]),
                methods=_by_ref(observed(Method, row) for row in method_rows[owner["id"]]),
                cases=MappingProxyType({row["invoice"]: case_from(row) for row in case_rows[owner["id"]]}),
                instructions=tuple(
                    instruction_from(row)
                    for row in sorted(instruction_rows[owner["id"]], key=lambda row: row["id"])
                ),
            ),
            history=history.get(owner["id"], {}),
            due={row["invoice"]: row["due_at"] for row in case_rows[owner["id"]]}
            | {row["ref"]: row["due_at"] for row in subscription_rows[owner["id"]]},
            clock=clocks.get((owner["source"], owner["test_clock"])),
            access=next(iter(access_rows[owner["id"]]), None),
        )
        for owner in owners
    }


def _by_ref(things: Iterable[Any]) -> Mapping[str, Any]:
    return MappingProxyType({thing.ref: thing for thing in things})


async def _of(
    connection: AsyncConnection, table: Table, ids: Sequence[int], **parameters: Any
) -> dict[int, list[RowMapping]]:
    rows = await connection.execute(_OF[table], {"ids": ids} | parameters)
    grouped: dict[int, list[RowMapping]] = {customer_id: [] for customer_id in ids}
    for row in rows.mappings():
        grouped[row["customer_id"]].append(row)
    return grouped


async def _history(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, dict[str, Effect]]:
    rows = await connection.execute(_HISTORY, {"ids": ids})
    grouped: dict[int, dict[str, Effect]] = {customer_id: {} for customer_id in ids}
    for row in rows.mappings():
        known, key = grouped[row["customer_id"]], row["step"]
        effect = Effect(
            key=key,
            kind=meaning(Kind, row["kind"]),
            name=row["name"],
            case=row["case"],
            status=row["status"],
            created_at=row["created_at"],
            accepted_at=row["accepted_at"],
            recipient=row["recipient"],
        )
        if row["result"]:
            # One row a result, and of each mail they follow one another.
            before = known[key] if key in known and effect.kind is Kind.MAIL else effect
            effect = before.after(meaning(Result, row["result"]), row["told_at"])
        known[key] = effect
    return grouped


async def _clocks(
    connection: AsyncConnection, owners: Sequence[RowMapping]
) -> dict[tuple[str, str | None], datetime]:
    keys = {(owner["source"], owner["test_clock"]) for owner in owners if owner["test_clock"]}
    if not keys:
        return {}
    rows = await connection.execute(
        select(test_clocks).where(tuple_(test_clocks.c.source, test_clocks.c.ref).in_(keys))
    )
    return {(row.source, row.ref): row.reached for row in rows}


async def move_clocks(connection: AsyncConnection, moves: Mapping[tuple[str, str], datetime]) -> None:
    """Test clocks have reached these times; a clock never goes back."""
    for (source, ref), reached in sorted(moves.items()):
        statement = insert(test_clocks).values(source=source, ref=ref, reached=reached)
        later = func.greatest(test_clocks.c.reached, statement.excluded.reached)
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["source", "ref"], set_={"reached": later})
        )


async def clock_of(connection: AsyncConnection, source: str, ref: str) -> datetime | None:
    """What time it is on a test clock, or None when it has not been heard of."""
    rows = await connection.execute(
        select(test_clocks.c.reached).where(test_clocks.c.source == source, test_clocks.c.ref == ref)
    )
    return rows.scalar_one_or_none()


_LOOK_AGAIN = (
    update(cases)
    .where(cases.c.customer_id == bindparam("owner"), cases.c.invoice == bindparam("of"))
    .values(due_at=bindparam("at"), swept_at=None)
)


async def look_again(connection: AsyncConnection, looks: Iterable[tuple[int, str, datetime]]) -> None:
    """Cases (customer row id, invoice) want attention at a time, whatever their plan says."""
    rows = [{"owner": owner, "of": invoice, "at": at} for owner, invoice, at in sorted(looks)]
    if rows:
        await connection.execute(_LOOK_AGAIN, rows)


async def due_on_clocks(connection: AsyncConnection, clocks: Collection[tuple[str, str]]) -> list[int]:
    """Customers on these test clocks with a case or a renewal that their clock has made due."""
    found: set[int] = set()
    for table in (cases, subscriptions) if clocks else ():
        rows = await connection.execute(
            select(table.c.customer_id)
            .distinct()
            .join(customers, customers.c.id == table.c.customer_id)
            .join(
                test_clocks,
                and_(test_clocks.c.source == customers.c.source, test_clocks.c.ref == table.c.test_clock),
            )
            .where(tuple_(test_clocks.c.source, test_clocks.c.ref).in_(list(clocks)))
            .where(table.c.due_at <= test_clocks.c.reached)
        )
        found |= {row.customer_id for row in rows}
    return sorted(found)


async def accounts_of(connection: AsyncConnection, family: str) -> list[str]:
    """The sources of further accounts of a billing system ("stripe:acct_1") that have customers here."""
    theirs = customers.c.source.startswith(f"{family}:", autoescape=True)
    rows = await connection.execute(select(customers.c.source).where(theirs).distinct())
    return sorted(row.source for row in rows)
